// What both importers see of an ONNX node: its inputs as values of the graph, its attributes with their defaults.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "importers/onnx/file.hpp"

namespace blobsmith::onnx_import {

/// The values made so far, by their names in the file.
using Values = std::map<std::string, Value>;

class NodeView {
 public:
  /// `becomes`: the main operation that the table's row states.
  NodeView(const onnx_file::Node& node, int64_t opset, std::string_view becomes, const Values& values)
      : node_(node), opset_(opset), becomes_(becomes), values_(values) {}

  const onnx_file::Node& node() const { return node_; }
  int64_t opset() const { return opset_; }
  std::string becomes() const { return std::string(becomes_); }

  size_t input_count() const { return node_.inputs.size(); }
  size_t output_count() const { return node_.outputs.size(); }
  bool has_input(size_t i) const { return node_.has_input(i); }
  Value input(size_t i) const;                  ///< an error when it is absent
  std::vector<Value> inputs() const;            ///< all of them
  const Tensor* constant(size_t i) const;       ///< null when input i is absent or computed at run time
  int64_t axis(int64_t a, int64_t rank) const;  ///< counted from the front, or an error

  // Attributes of the node, with the default of a missing one.
  bool has(const char* a) const { return node_.find(a) != nullptr; }
  int64_t integer(const char* a, int64_t fallback) const { return node_.integer(a, fallback); }
  int64_t mandatory_integer(const char* a) const;
  double real(const char* a, float fallback) const { return static_cast<double>(node_.real(a, fallback)); }
  std::string text(const char* a, const char* fallback) const { return node_.text(a, fallback); }
  std::vector<int64_t> integers(const char* a, std::vector<int64_t> fallback = {}) const {
    return node_.integers(a, std::move(fallback));
  }
  std::vector<float> reals(const char* a, std::vector<float> fallback = {}) const;

  /// The operator is known, but not in this form.
  [[noreturn]] void refuse(std::string_view why, ErrorCode code = ErrorCode::UnsupportedLayer) const {
    throw refusal(why, code);
  }

 protected:
  ~NodeView() = default;
  /// In the words of the importer.
  virtual Error refusal(std::string_view why, ErrorCode code) const = 0;

 private:
  const onnx_file::Node& node_;
  int64_t opset_;
  std::string_view becomes_;
  const Values& values_;
};

/// All outputs of a node.
std::vector<Value> outputs_of(Value v);
/// The default domain is written in two ways.
inline bool is_default_domain(std::string_view domain) { return domain.empty() || domain == "ai.onnx"; }

}  // namespace blobsmith::onnx_import
