// The bytes of a .tflite file -> plain structures, checked by FlatBuffers' verifier. All that touches FlatBuffers is
// behind this header. Facts: the public schema of TensorFlow Lite; model-optimizer spec §4.7.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::tflite_file {

struct Quantization {
  std::vector<float> scales;  ///< one, or one per slice of `axis`; empty: not quantised
  std::vector<int64_t> zero_points;
  int64_t axis = 0;
};

struct Tensor {
  std::string name;
  std::optional<ElementType> type;  ///< none for texts, complex numbers, resources
  int type_number = 0;
  Shape shape;
  Shape signature;  ///< the shape, with kDynamic for what the file leaves open, where `shape` may say anything
  Bytes data;       ///< of a constant, without copying unless it is sparse; empty: it is computed
  Quantization quantization;
  bool is_variable = false;
};

/// The options of an operator by the number of their field in the schema's table.
class Options {
 public:
  Options() = default;
  Options(Bytes file, const void* table) : file_(std::move(file)), table_(table) {}

  int64_t byte(int field, int64_t fallback = 0) const;  ///< also bool and small enumerations
  int64_t integer(int field, int64_t fallback = 0) const;
  double real(int field, double fallback = 0) const;
  std::vector<int64_t> integers(int field) const;
  std::string text(int field) const;

 private:
  Bytes file_;
  const void* table_ = nullptr;
};

struct Operator {
  int code = 0;
  std::string name;                      ///< "CONV_2D"; of a custom operator its own name
  std::vector<int64_t> inputs, outputs;  ///< numbers of tensors; -1: absent
  Options options;
  Bytes custom_options;
};

struct Subgraph {
  std::vector<Tensor> tensors;
  std::vector<Operator> operators;
  std::vector<int64_t> inputs, outputs;
};

struct Model {
  std::vector<Subgraph> subgraphs;
};

inline constexpr int kCustom = 32;

/// Throws FileCorrupt, FileTruncated, FileTooLarge, ShapeMismatch.
Model read_model(const Bytes& file);

}  // namespace blobsmith::tflite_file
