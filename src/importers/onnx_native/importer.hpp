// ONNX -> Graph, as the ONNX importer inside Intel's compiler reads it (front-end spec §16): what `compile` does
// with a
// .onnx file. (`convert` goes the usual way, Model Optimizer's: importers/onnx.)
#pragma once
#include <string>

#include "graph/graph.hpp"

namespace blobsmith {

/// Throws Error/ErrorList naming the node and its operator. External data files are looked up beside the model.
Graph read_onnx(const std::string& path);
/// The same from memory; `folder` is where external data files may lie ("" = none allowed).
Graph read_onnx(const Bytes& model, const std::string& file_name, const std::string& folder);

}  // namespace blobsmith
