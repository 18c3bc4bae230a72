// Operators with graphs of the file as attributes (If, Loop, Scan), where constants and static shapes decide what they
// do: the branch that is taken, or all turns one after the other, become part of the network. For `convert`; Model
// Optimizer keeps loops, which the VPU runs only in one form.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "importers/common/session.hpp"
#include "importers/onnx/file.hpp"

namespace blobsmith::onnx_import {

bool has_bodies(const onnx_file::Node& n);
/// The names that the bodies of n read and don't make: values of the graph around it.
std::vector<std::string> captured_names(const onnx_file::Node& n);

class Bodies {
 public:
  using ConvertNode = std::function<std::vector<Value>(const onnx_file::Node&)>;
  /// `convert` makes the outputs of a node without bodies.
  Bodies(importers::Session& session, int64_t opset, ConvertNode convert)
      : session_(session), opset_(opset), convert_(std::move(convert)) {}

  std::vector<Value> convert(const onnx_file::Node& n);

 private:
  using Scope = std::map<std::string, std::string>;  ///< names of a body, as keys of the session's values

  std::vector<Value> branch(const onnx_file::Node& n);
  std::vector<Value> loop(const onnx_file::Node& n);
  std::vector<Value> scan(const onnx_file::Node& n);
  std::vector<Value> inlined(const onnx_file::Model& body, const std::vector<Value>& inputs, const std::string& prefix);
  std::string key_of(const std::string& name) const;

  importers::Session& session_;
  int64_t opset_;
  ConvertNode convert_;
  std::vector<Scope> scopes_;
  int64_t nodes_ = 0;
};

}  // namespace blobsmith::onnx_import
