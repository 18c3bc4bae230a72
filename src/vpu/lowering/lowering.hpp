// State of one lowering: the network, the program that grows, and which data holds which value of the graph.
#pragma once
#include <map>
#include <utility>

#include "transforms/pipeline.hpp"
#include "vpu/lowering/network.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// A tensor of the network as data of the VPU, with its own element type (front-end spec §8 conventions).
/// Throws "<P> isn't supported" for types that the VPU lacks.
DataDesc desc_of(ElementType type, const Shape& shape);
/// The same where FP32 becomes FP16: everything but inputs and outputs.
DataDesc internal_desc_of(ElementType type, const Shape& shape);
/// The bytes of a constant for internal_desc_of: FP32 rounded as the reference does, FP16 untouched.
Bytes constant_content(const Tensor& t);

struct Lowering {
  const Network& network;
  const CompileOptions& options;
  const Declared& declared;
  Program& program;
  const Release& release;

  Data* bound(Value v) const {
    const auto it = datas.find({v.node, v.port});
    return it == datas.end() ? nullptr : it->second;
  }
  void bind(Value v, Data* d) { datas[{v.node, v.port}] = d; }

  std::map<std::pair<const Node*, int>, Data*> datas;    // for look-ups only
  std::vector<std::pair<Value, Data*>> inputs, outputs;  // by name
  struct LstmWeights {
    Data* weights;
    Data* biases;
  };
  std::map<std::pair<const void*, const void*>, LstmWeights>
      lstm_weights;  // by address of the contents; cells may share them
};

// io_data.cpp, in this order (front-end spec §8.1 to §8.3)
void add_inputs(Lowering&);     ///< by name
void add_outputs(Lowering&);    ///< by name
void add_constants(Lowering&);  ///< in layer order
void add_constant(Lowering&, Value constant);
void copy_trivial_outputs(Lowering&);  ///< an input or constant that is an output as well
void convert_inputs(Lowering&);        ///< U8 and FP32 inputs to FP16
void convert_outputs(Lowering&);       ///< FP16 to FP32 outputs

// pre_process.cpp (front-end spec §8.4)
void subtract_mean_images(Lowering&);  ///< where the network's file gives one

// layers.cpp (front-end spec §8.5)
/// Every other layer in order. Throws ErrorList with all that can't be lowered.
void parse_layers(Lowering&);

}  // namespace blobsmith::vpu
