// A model of any format but ONNX in parts, by its graph: what can't be compiled is found by check(), the parts are
// written as OpenVINO IR.
#pragma once
#include <vector>

#include "blobsmith/check.hpp"
#include "blobsmith/cut.hpp"
#include "graph/graph.hpp"

namespace blobsmith::api {

struct CutGraph {
  ModelPart before, chip, after;              ///< `chip` empty: the model can be compiled as it is, up to `ends_at`
  std::vector<TensorInfo> inputs, from_chip;  ///< of the chip's part
  std::vector<std::string> to_chip;           ///< those of its inputs that a host computes
  std::vector<Error> refused;
  std::string ends_at;  ///< as CutResult has it
};

/// Throws as check(), and ErrorList of what can't be compiled where nothing is left.
CutGraph cut_graph(const ModelFile& file, const CheckOptions& options);

/// In memory.
ModelFile file_of(const ModelPart& part, const std::string& name);

/// Options of the chip's part: inputs that a host computes hold any numbers; what is told of tensors that are not at
/// its borders does not concern it.
CameraOptions for_chip(CameraOptions camera, const std::vector<TensorInfo>& inputs,
                       const std::vector<TensorInfo>& outputs, const std::vector<std::string>& from_host);

}  // namespace blobsmith::api
