#include "importers/common/layer_context.hpp"

#include <algorithm>

#include "importers/model_optimizer/rewrites.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::importers {

Value LayerContext::input(size_t i) const {
  if (!has_input(i)) refuse("it has no input " + std::to_string(i));
  return session_.value(op_.inputs[i]);
}

std::vector<Value> LayerContext::inputs() const {
  std::vector<Value> values;
  for (size_t i = 0; i < input_count(); ++i) values.push_back(input(i));
  return values;
}

const Tensor* LayerContext::known(size_t i) const {
  return has_input(i) ? transforms::constant_of(session_.value(op_.inputs[i])) : nullptr;
}

size_t LayerContext::axis(int64_t a, int64_t rank) const {
  const int64_t from_front = a < 0 ? a + rank : a;
  if (from_front < 0 || from_front >= rank)
    refuse("axis " + std::to_string(a) + " is none of its " + std::to_string(rank) + " dimensions");
  return static_cast<size_t>(from_front);
}

Shape LayerContext::along(Value x, size_t count, size_t axis) const {
  Shape shape(x.shape().size(), 1);
  if (count == 1) return shape;
  if (axis >= shape.size() || x.shape()[axis] != static_cast<int64_t>(count))
    refuse("its " + std::to_string(count) + " parameters do not fit its input of shape " + to_string(x.shape()));
  shape[axis] = static_cast<int64_t>(count);
  return shape;
}

Value LayerContext::numbered_constant(Tensor t, const std::string& suffix) {
  return graph().constant(std::move(t), importers::numbered(graph()) + suffix)->value();
}

Value LayerContext::linear(const char* type, Value x, Value by, const std::string& suffix) {
  Node* n = graph().add(type, {x, by}, 0, name() + suffix);
  n->attrs.set("auto_broadcast", std::string("numpy"));
  n->source = source();
  graph().set_outputs(n, {{x.type(), x.shape()}});
  return n->value();
}

Value LayerContext::linear(const char* type, Value x, std::vector<double> by, size_t axis, const std::string& suffix) {
  Shape shape = along(x, by.size(), axis);
  return linear(type, x, numbered_constant(Tensor::of(ElementType::f64, std::move(shape), std::move(by))), suffix);
}

Value LayerContext::linear(const char* type, Value x, std::vector<float> by, size_t axis, const std::string& suffix) {
  Shape shape = along(x, by.size(), axis);
  return linear(type, x, numbered_constant(Tensor::of(ElementType::f32, std::move(shape), std::move(by))), suffix);
}

Value LayerContext::factor_of_norm(Value normal, Tensor factors) {
  const Value v = make("Multiply", {normal, constant(std::move(factors), "/weights")});
  v.node->attrs.set(model_optimizer::kUnfused, true);
  return v;
}

Value LayerContext::add_bias(Value x, const Tensor& bias) {
  Shape shape(x.shape().size(), 1);
  const int64_t count = element_count(bias.shape);
  if (shape.size() < 2 || x.shape()[1] != count)
    refuse("its bias has " + std::to_string(count) + " values for an output of shape " + to_string(x.shape()));
  shape[1] = count;
  return make("Add", {x, constant({bias.type, shape, bias.bytes}, "/Dims")});
}

}  // namespace blobsmith::importers
