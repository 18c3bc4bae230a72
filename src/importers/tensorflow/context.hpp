// What the table of operators works with: a TensorFlow node, and a builder that names nodes as Model Optimizer does
// (model-optimizer spec §5.1). Tensors have the model's own layout, channels last; operations whose windows need
// channels in front stand between Transposes, which the layout step takes away again (model_optimizer/layout).
#pragma once
#include "importers/common/layer_builder.hpp"
#include "importers/common/session.hpp"
#include "importers/tensorflow/source.hpp"

namespace blobsmith::tensorflow_import {

using importers::attributes;

/// What the operators of one model share.
struct Shared {
  importers::Session& session;
  const tensorflow_file::Bodies& bodies;
  /// The items of lists of tensors (TensorListReserve ...), by the constant that stands for the list.
  std::map<const Node*, std::vector<std::optional<Value>>> lists{};
};

class Context final : public importers::LayerBuilder {
 public:
  /// `becomes`: the main operation that the table's row states.
  Context(Shared& shared, const importers::SourceOperator& op, const tensorflow_file::Node& node,
          std::string_view becomes);

  const tensorflow_file::Node& node() const { return node_; }
  std::string becomes() const { return std::string(becomes_); }
  Shared& shared() { return shared_; }
  bool quirks() const { return shared_.session.options.quirks; }
  void note(std::string what) {
    shared_.session.notes.push_back({Remark::Kind::NotAsIntel, name(), type(), source(), std::move(what)});
  }

  size_t input_count() const { return inputs_.size(); }
  Value input(size_t i) const;  ///< an error when it is absent
  const std::vector<Value>& inputs() const { return inputs_; }
  int64_t rank(size_t i = 0) const { return static_cast<int64_t>(input(i).shape().size()); }
  /// The integers that input i is known to hold: constants, or arithmetic on static shapes; an error otherwise.
  std::vector<int64_t> integers_of(size_t i, std::string_view what) const;
  int64_t integer_of(size_t i, std::string_view what) const;
  /// The tensor that input i is known to hold; an error otherwise.
  Tensor tensor_of(size_t i, std::string_view what) const;
  int64_t axis(int64_t a, int64_t rank) const;  ///< counted from the front, or an error
  /// The name of the constant that input i is; empty: it is computed.
  std::string constant_name(size_t i) const { return input(i).node->is_constant() ? input(i).node->name : ""; }

  bool channels_last() const;
  /// With channels in front of the planes, whatever the model's order.
  Value to_channels_first(Value x);
  /// Back to the model's order.
  Value to_model_layout(Value y);
  Value transpose(Value x, std::vector<int64_t> order, const std::string& suffix);
  Value convert(Value x, ElementType to, const std::string& suffix = {});
  /// v is no map, whatever its rank: the order of its axes stays.
  Value keeping_order(Value v);
  /// Arithmetic on shapes is done now: the constant that v is known to be, or v.
  Value known(Value v, const std::string& name);
  /// A constant of real numbers of x's rank: one value.
  Value number_like(Value x, double v) { return number_constant(x.type(), Shape(x.shape().size(), 1), v); }

  /// What an operator of the table makes of these inputs, under this layer's name and a suffix: for layers that are
  /// spelled out in TensorFlow's operators.
  std::vector<Value> apply(std::string_view op, std::vector<Value> inputs,
                           std::map<std::string, tensorflow_file::Attribute> attributes, const std::string& suffix);
  /// The same layer reading something else.
  Context with_inputs(std::vector<Value> inputs, std::string type, const std::string& suffix) const;

 private:
  Context(Shared& shared, std::string name, std::string type, std::string source, const tensorflow_file::Node& node,
          std::string_view becomes, std::vector<Value> inputs);

  Value between_layouts(Value x, std::vector<int64_t> order, const std::string& suffix);

  Shared& shared_;
  const tensorflow_file::Node& node_;
  std::string_view becomes_;
  std::vector<Value> inputs_;
};

/// [0, rank - 1, 1, ...]: channels last to channels first, and back.
std::vector<int64_t> channels_first_order(size_t rank);
std::vector<int64_t> channels_last_order(size_t rank);
/// All outputs of a node.
std::vector<Value> outputs_of(Value v);

}  // namespace blobsmith::tensorflow_import
