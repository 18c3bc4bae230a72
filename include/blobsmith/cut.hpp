// A model with layers that can't be compiled, in parts: a blob of the largest that can, models for a host of what comes
// before and after it: ONNX of an ONNX model, OpenVINO IR of any other.
//
// Threads: as convert().
#pragma once
#include "blobsmith/compare.hpp"
#include "blobsmith/convert.hpp"
#include "blobsmith/error.hpp"

namespace blobsmith {

/// A tensor on its way between a host and the chip.
struct PassedTensor {
  std::string name;       ///< in the host's models
  std::string blob_name;  ///< of the blob's input or output
  TensorType type = TensorType::FP16;
  Shape shape;
};

/// A part of a model as a model of its own.
struct ModelPart {
  std::vector<uint8_t> model{};    ///< an ONNX file, or the .xml of an OpenVINO IR 11
  std::vector<uint8_t> weights{};  ///< of an IR: the .bin
  bool is_ir = false;

  bool empty() const { return model.empty(); }
};

struct CutResult {
  CompileResult blob;
  std::vector<Error> refused;           ///< by layer: why it is not in the blob
  ModelPart before{}, chip{}, after{};  ///< empty where there is nothing to compute
  std::vector<PassedTensor> to_chip{}, from_chip{};
  /// Where the model ends for the chip (as ConversionOptions::outputs) since nobody but its framework knows what
  /// follows: the host goes on with the model itself, from these tensors. Empty: nothing is left out.
  std::string ends_at{};
};

/// A model that can be compiled as it is gives a blob alone. What goes from a host to the chip is taken as FP16, unless
/// stated. Throws as convert(), also where no layer is to blame, or nothing can be compiled.
CutResult convert_cut(const ModelFile& model, const ConvertOptions& options = {});

/// The blob of the chip's part beside that part, as compare() does; and, where the reference executor knows all layers,
/// the results of all parts together, in their order, beside those of the whole model.
CompareResult compare_cut(const ModelFile& model, const CompareOptions& options = {});

}  // namespace blobsmith
