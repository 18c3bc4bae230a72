// Functions that an ONNX model brings with it (torch's first dynamo exporter writes every module as one).
#pragma once
#include "importers/onnx/file.hpp"

namespace blobsmith::onnx_file {

struct Function {
  std::string name, domain, overload;
  int64_t opset = 0;  ///< of the default domain, for which it is written; 0: not stated
  std::vector<std::string> inputs, outputs;
  std::map<std::string, Attribute> defaults;  ///< of attributes that a call may leave out
  std::vector<Node> nodes;
};

/// Puts the nodes of functions in place of their calls, in bodies of If, Loop and Scan as well. Throws BadOnnx where a
/// function calls itself, takes more nodes than any network has, or is written for another opset than the model.
void inline_functions(Model& model, const std::vector<Function>& functions);

}  // namespace blobsmith::onnx_file
