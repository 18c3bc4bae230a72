// A model with layers that can't be compiled, in parts: a blob of the largest that can, ONNX models for a host of what
// comes before and after it.
//
// Threads: as convert().
#pragma once
#include "blobsmith/compare.hpp"
#include "blobsmith/convert.hpp"
#include "blobsmith/error.hpp"

namespace blobsmith {

/// A tensor on its way between a host and the chip.
struct PassedTensor {
  std::string name;       ///< in the ONNX models
  std::string blob_name;  ///< of the blob's input or output
  TensorType type = TensorType::FP16;
  Shape shape;
};

struct CutResult {
  CompileResult blob;
  std::vector<Error> refused;                      ///< by layer: why it is not in the blob
  std::vector<uint8_t> before{}, chip{}, after{};  ///< ONNX models; empty where there is nothing to compute
  std::vector<PassedTensor> to_chip{}, from_chip{};
};

/// ONNX only. A model that can be compiled as it is gives a blob alone. Throws as convert(), also where no layer is to
/// blame, or nothing can be compiled.
CutResult convert_cut(const ModelFile& model, const ConvertOptions& options = {});

/// The blob of the chip's part beside that part, as compare() does; and, where the reference executor knows all layers,
/// the results of both parts together beside those of the whole model.
CompareResult compare_cut(const ModelFile& model, const CompareOptions& options = {});

}  // namespace blobsmith
