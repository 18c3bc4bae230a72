// One mapper per ONNX operator: it makes the nodes that Model Optimizer makes of it (model-optimizer spec §5.2).
#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"
#include "importers/onnx/importer.hpp"
#include "importers/onnx_model/model_file.hpp"

namespace blobsmith::onnx_import {

/// The node's own name, else that of its first output that has one.
std::string layer_name(const onnx_file::Node& n);

/// What a mapper sees: the node at hand and the values made so far.
class Context {
 public:
  Context(Graph& graph, int64_t opset, bool quirks) : graph_(graph), opset_(opset), quirks_(quirks) {}
  Graph& graph() { return graph_; }
  int64_t opset() const { return opset_; }
  bool quirks() const { return quirks_; }
  /// The layer is converted otherwise than Model Optimizer does.
  void note(std::string what) { notes_.push_back({name(), std::move(what)}); }
  const std::vector<ImportNote>& notes() const { return notes_; }
  const onnx_file::Node& node() const { return *node_; }
  void enter(const onnx_file::Node& n) { node_ = &n; }

  void define(const std::string& value_name, Value v) { values_[value_name] = v; }
  bool defined(const std::string& value_name) const { return values_.contains(value_name); }
  Value value(const std::string& value_name) const;

  std::string name() const;  ///< the layer's
  bool has_input(size_t i) const { return node_->has_input(i); }
  Value input(size_t i) const;             ///< an error when it is absent
  const Tensor* constant(size_t i) const;  ///< null when input i is absent or computed at run time
  /// The integers that input i is known to hold: constants, or arithmetic on static shapes; an error otherwise.
  std::vector<int64_t> constant_integers(size_t i, std::string_view what) const;
  int64_t rank(size_t i = 0) const { return static_cast<int64_t>(input(i).shape().size()); }
  int64_t axis(int64_t a, int64_t rank) const;  ///< counted from the front, or an error
  size_t output_count() const { return node_->outputs.size(); }

  // Attributes of the node.
  int64_t integer(const char* a, int64_t fallback) const { return node_->integer(a, fallback); }
  double real(const char* a, float fallback) const { return static_cast<double>(node_->real(a, fallback)); }
  std::vector<int64_t> integers(const char* a, std::vector<int64_t> fallback = {}) const {
    return node_->integers(a, std::move(fallback));
  }
  std::vector<float> reals(const char* a) const;
  std::string text(const char* a, const char* fallback) const { return node_->text(a, fallback); }

  /// A node named after the layer, with `suffix`; constants are folded at once.
  Value make(std::string type, std::vector<Value> inputs, Attributes attrs = {}, int version = kNewest,
             const std::string& suffix = {});
  // Constants are named after the layer: the order of layers in a blob follows their names (front-end spec §7).
  Value integers_constant(std::vector<int64_t> v, const std::string& suffix = "/value") {
    return graph_.constant(Tensor::i64(std::move(v)), name() + suffix)->value();
  }
  Value integer_constant(int64_t v, const std::string& suffix = "/value") {
    return graph_.constant(Tensor::scalar_i64(v), name() + suffix)->value();
  }
  /// Of any type; refuses numbers that it does not have.
  Value number_constant(ElementType type, Shape shape, double v);
  /// Arithmetic of two operands, or of a tensor and one number.
  Value binary(const char* type, Value a, Value b, const std::string& suffix = {});
  Value binary(const char* type, Value a, double b, const std::string& suffix = {});
  Value reshape(Value x, std::vector<int64_t> pattern, const std::string& suffix = {});
  /// Constants of arithmetic get the rank of the other operands: leading ones.
  Value ranked(Value v, size_t rank);
  Value scalar(Value x);  ///< x of one element without dimensions
  /// [product of the axes before `axis`, product of the others] as Model Optimizer computes it: at run time unless axis
  /// is 0 or 1.
  Value flatten(Value x, int64_t axis, const std::string& suffix);

  /// The operator is known but not in this form.
  [[noreturn]] void refuse(std::string_view why) const;

  static constexpr int kNewest = -1;

 private:
  Graph& graph_;
  int64_t opset_;
  bool quirks_;
  std::vector<ImportNote> notes_;
  const onnx_file::Node* node_ = nullptr;
  std::map<std::string, Value> values_;
};

using MapFunction = std::vector<Value> (*)(Context&);
struct Mapper {
  std::string_view op_type;
  MapFunction map;
};

/// Null for an operator that has no mapper.
const Mapper* find_mapper(std::string_view op_type);

// One table per family (mappers/).
std::span<const Mapper> convolution_mappers();
std::span<const Mapper> element_wise_mappers();
std::span<const Mapper> activation_mappers();
std::span<const Mapper> normalization_mappers();
std::span<const Mapper> shape_mappers();
std::span<const Mapper> slice_mappers();
std::span<const Mapper> reduction_mappers();
std::span<const Mapper> resize_mappers();
std::span<const Mapper> indexing_mappers();
std::span<const Mapper> recurrent_mappers();
std::span<const Mapper> quantization_mappers();

Attributes attributes(std::initializer_list<std::pair<std::string_view, Attributes::Value>> items);

}  // namespace blobsmith::onnx_import
