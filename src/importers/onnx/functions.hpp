// Operators that ONNX defines by other operators, and that the importer has no recipe for (front-end spec §16.1).
#pragma once
#include "importers/onnx/file.hpp"

namespace blobsmith::onnx_import::ie {

/// Replaces the nodes of such operators by their bodies.
/// quirk: at the end of the model, so that an operator that reads their results does not find them.
void expand_functions(onnx_file::Model& model, bool in_place);

}  // namespace blobsmith::onnx_import::ie
