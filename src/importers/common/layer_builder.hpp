// Makes the nodes of one layer of a model, named as Model Optimizer names them: the layer's own name for the node that
// computes its result, the name and a suffix for the others (model-optimizer spec §8.4).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::importers {

Attributes attributes(std::initializer_list<std::pair<std::string_view, Attributes::Value>> items);

/// A number for a name, of six digits or more: names decide on the order of constants in a blob.
std::string numbered(Graph& graph);

class LayerBuilder {
 public:
  /// `source`: where the layer stands in the file, for messages.
  LayerBuilder(Graph& graph, std::string name, std::string type, std::string source)
      : graph_(graph), name_(std::move(name)), type_(std::move(type)), source_(std::move(source)) {}

  Graph& graph() { return graph_; }
  const std::string& name() const { return name_; }
  const std::string& type() const { return type_; }
  const std::string& source() const { return source_; }

  /// A node named after the layer, with `suffix`; constants are folded at once.
  Value make(std::string type, std::vector<Value> inputs, Attributes attrs = {}, int version = kNewest,
             const std::string& suffix = {});
  // Constants are named after the layer: the order of layers in a blob follows their names (front-end spec §7).
  Value integers_constant(std::vector<int64_t> v, const std::string& suffix = "/value") {
    return graph_.constant(Tensor::i64(std::move(v)), name_ + suffix)->value();
  }
  /// Under a name of its own; empty: under a number.
  Value named_integers(std::vector<int64_t> v, std::string name) {
    return graph_.constant(Tensor::i64(std::move(v)), name.empty() ? numbered(graph_) : std::move(name))->value();
  }
  Value integer_constant(int64_t v, const std::string& suffix = "/value") {
    return graph_.constant(Tensor::scalar_i64(v), name_ + suffix)->value();
  }
  /// Of any type; refuses numbers that the type can't hold.
  Value number_constant(ElementType type, Shape shape, double v);
  /// Arithmetic of two operands, or of a tensor and one number.
  Value binary(std::string type, Value a, Value b, const std::string& suffix = {});
  Value binary(std::string type, Value a, double b, const std::string& suffix = {});
  Value reshape(Value x, std::vector<int64_t> pattern, const std::string& suffix = {});
  /// y in the shape of x, which is read when the network runs.
  Value reshape_like(Value y, Value x, const std::string& suffix = {});
  Value shape_of(Value x, const std::string& suffix = {});
  /// The axes of x from `first` on, computed when the network runs, as Model Optimizer has those of MVN.
  Value axes_from(Value x, int64_t first);
  /// Constants of arithmetic get the rank of the other operands: leading ones.
  Value ranked(Value v, size_t rank);
  Value scalar(Value x);  ///< x of one element without dimensions
  /// [product of the axes before `axis`, product of the others] as Model Optimizer computes it: at run time unless axis
  /// is 0 or 1.
  Value flatten(Value x, int64_t axis, const std::string& suffix);

  /// The layer is known, but not in this form.
  Error refusal(std::string_view why) const;
  [[noreturn]] void refuse(std::string_view why) const { throw refusal(why); }

  static constexpr int kNewest = -1;

 private:
  Graph& graph_;
  std::string name_, type_, source_;
};

}  // namespace blobsmith::importers
