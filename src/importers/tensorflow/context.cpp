#include "importers/tensorflow/context.hpp"

#include "graph/ops/known_value.hpp"
#include "importers/model_optimizer/layout.hpp"
#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {

Context::Context(Shared& shared, const importers::SourceOperator& op, const tensorflow_file::Node& node,
                 std::string_view becomes)
    : Context(shared, op.name, op.type, op.where, node, becomes, {}) {
  for (const std::string& i : op.inputs) inputs_.push_back(shared.session.value(i));
}

Context::Context(Shared& shared, std::string name, std::string type, std::string source,
                 const tensorflow_file::Node& node, std::string_view becomes, std::vector<Value> inputs)
    : LayerBuilder(shared.session.graph, std::move(name), std::move(type), std::move(source)),
      shared_(shared),
      node_(node),
      becomes_(becomes),
      inputs_(std::move(inputs)) {}

std::vector<Value> Context::apply(std::string_view op, std::vector<Value> inputs,
                                  std::map<std::string, tensorflow_file::Attribute> attributes,
                                  const std::string& suffix) {
  const OperatorRow* row = find_operator(op);
  ensure(row != nullptr, "no operator " + std::string(op));
  const tensorflow_file::Node spelled{name() + suffix, std::string(op), {}, std::move(attributes)};
  Context inner(shared_, spelled.name, type(), source(), spelled, row->becomes, std::move(inputs));
  return row->convert(inner);
}

Context Context::with_inputs(std::vector<Value> inputs, std::string type, const std::string& suffix) const {
  return {shared_, name() + suffix, std::move(type), source(), node_, becomes_, std::move(inputs)};
}

Value Context::input(size_t i) const {
  if (i >= inputs_.size()) refuse("input " + std::to_string(i) + " is missing");
  return inputs_[i];
}

Tensor Context::tensor_of(size_t i, std::string_view what) const {
  auto t = known_value(input(i));
  if (!t) refuse("its " + std::string(what) + " is not a constant");
  return *std::move(t);
}

std::vector<int64_t> Context::integers_of(size_t i, std::string_view what) const { return tensor_of(i, what).to_i64(); }

int64_t Context::integer_of(size_t i, std::string_view what) const {
  const std::vector<int64_t> v = integers_of(i, what);
  if (v.size() != 1) refuse("its " + std::string(what) + " is not one number");
  return v[0];
}

int64_t Context::axis(int64_t a, int64_t rank) const {
  if (a < -rank || a >= rank)
    refuse("axis " + std::to_string(a) + " is out of the tensor's rank, " + std::to_string(rank));
  return a < 0 ? a + rank : a;
}

bool Context::channels_last() const {
  const std::string format = node_.text("data_format", "NHWC");
  return format.empty() || format.back() == 'C';
}

Value Context::transpose(Value x, std::vector<int64_t> order, const std::string& suffix) {
  const Value by = integers_constant(std::move(order), suffix + "/value");
  return make("Transpose", {x, by}, {}, kNewest, suffix);
}

Value Context::between_layouts(Value x, std::vector<int64_t> order, const std::string& suffix) {
  const Value y = transpose(x, std::move(order), suffix);
  if (y.node->is("Transpose")) y.node->attrs.set(model_optimizer::kLayoutTranspose, true);
  return y;
}

Value Context::to_channels_first(Value x) {
  return channels_last() ? between_layouts(x, channels_first_order(x.shape().size()), "/input_transpose") : x;
}

Value Context::to_model_layout(Value y) {
  return channels_last() ? between_layouts(y, channels_last_order(y.shape().size()), "/output_transpose") : y;
}

Value Context::convert(Value x, ElementType to, const std::string& suffix) {
  return make("Convert", {x}, attributes({{"destination_type", std::string(to_string(to))}}), kNewest, suffix);
}

Value Context::keeping_order(Value v) {
  if (!v.node->is_constant()) v.node->attrs.set(model_optimizer::kKeepsOrder, true);
  return v;
}

Value Context::known(Value v, const std::string& name) {
  if (!v.node || v.node->is_constant() || is_float(v.type()) || v.node->is("Parameter")) return v;
  auto t = known_value(v);
  return t ? graph().constant(*std::move(t), name)->value() : v;
}

std::vector<int64_t> channels_first_order(size_t rank) {
  std::vector<int64_t> order{0, static_cast<int64_t>(rank) - 1};
  for (size_t i = 1; i + 1 < rank; ++i) order.push_back(static_cast<int64_t>(i));
  return order;
}

std::vector<int64_t> channels_last_order(size_t rank) {
  std::vector<int64_t> order{0};
  for (size_t i = 2; i < rank; ++i) order.push_back(static_cast<int64_t>(i));
  order.push_back(1);
  return order;
}

std::vector<Value> outputs_of(Value v) {
  std::vector<Value> values;
  for (int i = 0; i < v.node->output_count(); ++i) values.push_back(v.node->value(i));
  return values;
}

}  // namespace blobsmith::tensorflow_import
