// ONNX -> Graph, as the ONNX importer inside Intel's compiler reads it (front-end spec §16): the way of `compile`.
#pragma once
#include <string>

#include "graph/graph.hpp"

namespace blobsmith {

/// Throws Error/ErrorList naming the node and its operator. External data files are looked up in `folder`
/// ("" = none allowed).
Graph import_onnx_as_inference_engine(const Bytes& model, const std::string& folder,
                                      const Release& release = kRelease2021);

}  // namespace blobsmith
