// A Multiply by a constant next to a convolution or a matrix product goes into the weights (model-optimizer spec
// §6.3).
#include <algorithm>
#include <span>

#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

/// Axes of a weights tensor that hold output and input channels. Grouped weights have the group in front.
struct WeightAxes {
  size_t group_axes = 0, output = 0, input = 0;
};

/// quirk: of a stack of matrices axis 0 or 1 is taken, as of one; and axis 1 of the product is taken for its last.
std::optional<WeightAxes> weight_axes(const Node* n) {
  if (n->is("Convolution")) return WeightAxes{0, 0, 1};
  if (n->is("GroupConvolution")) return WeightAxes{1, 1, 2};
  if (n->is("ConvolutionBackpropData")) return WeightAxes{0, 1, 0};
  if (n->is("GroupConvolutionBackpropData")) return WeightAxes{1, 2, 1};
  if (!n->is("MatMul") || n->input(1).shape().size() < 2) return std::nullopt;
  return n->attrs.flag("transpose_b") ? WeightAxes{0, 0, 1} : WeightAxes{0, 1, 0};
}

/// The factors of groups, [group][channel], as often as each group's channels come (for every input of the group).
std::vector<double> repeated_by_group(const std::vector<double>& factors, const Shape& s, size_t group_axis,
                                      size_t axis) {
  const auto size = static_cast<size_t>(s[axis]);
  const auto times =
      static_cast<size_t>(transforms::product(std::span(s).subspan(group_axis + 1, axis - group_axis - 1)));
  std::vector<double> r;
  r.reserve(factors.size() * times);
  for (size_t g = 0; g * size < factors.size(); ++g)
    for (size_t t = 0; t < times; ++t)
      for (size_t i = 0; i < size; ++i) r.push_back(factors[g * size + i]);
  return r;
}

/// weights · factors, which change after each `values` weights and begin again behind the last.
template <class From, class To>
Bytes products(const Tensor& weights, const std::vector<double>& factors, size_t values) {
  const std::span<const From> w = weights.as<From>();
  std::vector<To> r(w.size());
  size_t factor = 0;
  for (size_t begin = 0; begin < w.size(); begin += values, factor = (factor + 1) % factors.size())
    for (size_t i = begin; i < begin + values; ++i) r[i] = static_cast<To>(static_cast<double>(w[i]) * factors[factor]);
  return Bytes::adopt(std::move(r));
}

Bytes products(const Tensor& weights, const std::vector<double>& factors, size_t values, bool wide) {
  switch (weights.type) {
    case ElementType::f64: return products<double, double>(weights, factors, values);
    case ElementType::f32:
      return wide ? products<float, double>(weights, factors, values)
                  : products<float, float>(weights, factors, values);
    default: {
      const Tensor single = Tensor::of(ElementType::f32, weights.shape, weights.to_f32());
      return wide ? products<float, double>(single, factors, values) : products<float, float>(single, factors, values);
    }
  }
}

/// weights · factor along `axis` (and the group axis in front of it). Model Optimizer multiplies in the wider of the
/// two types. Products of many weights, which take twice their memory, are made where they are read.
std::optional<Tensor> scaled(const Tensor& weights, const Tensor& factor, std::optional<size_t> group_axis,
                             size_t axis) {
  std::vector<double> f = doubles(factor);
  const Shape& s = weights.shape;
  const int64_t channels = s[axis] * (group_axis ? s[*group_axis] : 1);
  if (f.size() != 1 && static_cast<int64_t>(f.size()) != channels) return std::nullopt;
  const auto count = static_cast<size_t>(element_count(s));
  // Between the group axis and `axis` there may be the inputs: their factors repeat, group by group.
  const size_t values = f.size() == 1 ? std::max<size_t>(count, 1)
                                      : static_cast<size_t>(transforms::product(std::span(s).subspan(axis + 1)));
  if (group_axis && f.size() != 1 && axis > *group_axis + 1) f = repeated_by_group(f, s, *group_axis, axis);
  const bool wide = weights.type == ElementType::f64 || factor.type == ElementType::f64;
  const ElementType type = wide ? ElementType::f64 : ElementType::f32;
  const auto make = [weights, f = std::move(f), values, wide] {
    Bytes r = products(weights, f, values, wide);
    weights.bytes.leave_memory();
    return r;
  };
  return Tensor{type, s, Bytes::deferred_if_many(count * byte_width(type), make)};
}

/// The second operand of a matrix product may be computed: then it is multiplied at run time.
bool scale_operand(Rewriter& rw, Node* n, const Node* multiply, const Tensor& factor, size_t axis) {
  const Value operand = n->input(1);
  if (element_count(factor.shape) != 1 && operand.shape().size() != 2) return false;
  Shape shape(operand.shape().size(), 1);
  shape[axis] = operand.shape()[axis];
  std::vector<double> f = doubles(factor);
  if (f.size() == 1) f.assign(static_cast<size_t>(shape[axis]), f[0]);
  if (static_cast<int64_t>(f.size()) != shape[axis]) return false;
  const Value by = rw.graph().constant(Tensor::reals(factor.type, shape, f), multiply->name + "_copy/const")->value();
  Node* scaled_operand = rw.make_like(operand.node, "Multiply", {operand, by}, multiply->attrs, multiply->version);
  rw.graph().set_outputs(scaled_operand, {{operand.type(), operand.shape()}});
  scaled_operand->name = multiply->name + "_copy";
  scaled_operand->source = multiply->source;
  rw.set_input(n, 1, scaled_operand->value());
  return true;
}

bool scale_weights(Rewriter& rw, Node* n, const Node* multiply, const Tensor& factor, std::optional<size_t> group_axis,
                   size_t axis) {
  const Tensor* weights = transforms::constant_of(n->input(1));
  auto product = weights && is_float(weights->type) ? scaled(*weights, factor, group_axis, axis) : std::nullopt;
  if (!product) return false;
  const Value copy = rw.graph().constant(*std::move(product), multiply->name + "_copy")->value();
  rw.set_input(n, 1, copy);
  return true;
}

}  // namespace

bool multiply_into_weights_before(Rewriter& rw, Node* n) {
  const auto l = linear_operand(n);
  if (!l || !is_per_channel(*l, n) || !transforms::has_one_user(l->data)) return false;
  Node* producer = l->data.node;
  const auto axes = weight_axes(producer);
  if (!axes) return false;
  const auto group = axes->group_axes ? std::optional<size_t>(0) : std::nullopt;
  // Model Optimizer sees a grouped deconvolution's weights as [in, out / groups, ...]: only one value fits.
  const Tensor& factor = l->constant.node->constant;
  if (producer->is("GroupConvolutionBackpropData") && element_count(factor.shape) != 1) return false;
  const bool computed = producer->is("MatMul") && !producer->input(1).node->is_constant();
  if (!(computed ? scale_operand(rw, producer, n, factor, axes->output)
                 : scale_weights(rw, producer, n, factor, group, axes->output)))
    return false;
  return rw.redirect(n->value(), l->data);
}

bool multiply_into_matrix_before(Rewriter& rw, Node* n) {
  const auto l = linear_operand(n);
  if (l && l->data.node->is("MatMul") && n->shape().size() != 2 && element_count(l->constant.shape()) != 1)
    return false;
  return multiply_into_weights_before(rw, n);
}

bool multiply_into_tensorflow_weights_before(Rewriter& rw, Node* n) {
  const auto l = linear_operand(n);
  const bool depthwise = l && l->data.node->is("GroupConvolution") && l->data.node->input(1).shape()[2] == 1;
  if (depthwise && l->data.node->input(1).shape()[1] != 1 && element_count(l->constant.shape()) != 1) return false;
  return multiply_into_matrix_before(rw, n);
}

bool multiply_into_weights_behind(Rewriter& rw, Node* n) {
  const auto l = n->is("Multiply") ? linear_operand(n) : std::nullopt;
  if (!l || !is_per_channel(*l, n)) return false;
  const std::vector<NodeUse> uses = n->output().uses;
  const Tensor factor = l->constant.node->constant;
  for (const NodeUse& use : uses) {
    const auto axes = weight_axes(use.node);
    const Tensor* weights = axes ? transforms::constant_of(use.node->input(1)) : nullptr;
    if (!weights || use.port != 0 || use.node->is("MatMul")) return false;
    const int64_t channels = weights->shape[axes->input];
    const int64_t count = element_count(factor.shape);
    if (count != 1 && (axes->group_axes || count != channels)) return false;
  }
  if (uses.empty()) return false;
  for (const NodeUse& use : uses) scale_weights(rw, use.node, n, factor, std::nullopt, weight_axes(use.node)->input);
  return rw.redirect(n->value(), l->data);
}

}  // namespace blobsmith::model_optimizer
