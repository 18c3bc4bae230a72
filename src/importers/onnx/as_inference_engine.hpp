// ONNX -> Graph, as the ONNX importer inside Intel's compiler reads it (front-end spec §16): the way of `compile`.
#pragma once
#include <string>

#include "graph/graph.hpp"
#include "importers/common/model_files.hpp"

namespace blobsmith {

/// Throws Error/ErrorList naming the node and its operator. External data is read from the files `beside`.
Graph import_onnx_as_inference_engine(const Bytes& model, const importers::FilesBeside& beside,
                                      const Release& release = kRelease2021);

}  // namespace blobsmith
