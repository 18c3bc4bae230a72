// Multiplications and additions of constants become ScaleShift (one value per channel) or Power (one value)
// (front-end spec §5.6, Multiply/Add constants).
#include <algorithm>
#include <cmath>

#include "core/release.hpp"
#include "graph/tensor_names.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

enum class Fit { None, ScaleShift, Power };

// How a constant meets the data it is combined with.
Fit fit(Value constant, Value data) {
  const Shape &c = constant.shape(), &d = data.shape();
  if (c.empty() || c == Shape{1}) return Fit::Power;
  if (c.size() > d.size() || d.size() < 2) return Fit::None;
  Shape aligned = c;
  aligned.insert(aligned.begin(), d.size() - c.size(), 1);
  for (size_t i = 0; i < aligned.size(); ++i)
    if (i != 1 && aligned[i] != 1) return Fit::None;
  if (aligned[1] == 1) return Fit::Power;
  return aligned[1] == d[1] ? Fit::ScaleShift : Fit::None;
}

/// An infinite number, such as the count of a large sum in FP16, stays a constant input.
bool is_finite(Value constant) { return std::isfinite(*single_value(constant)); }

Node* power_layer(Rewriter& rw, Node* like, Value x, double scale, double shift) {
  return rw.make_like(like, "PowerIE", {x}, attributes({{"power", 1.0}, {"scale", scale}, {"shift", shift}}));
}

// A constant of one value spread over the shape of the other.
Value spread(Rewriter& rw, Value v, const Shape& shape) {
  if (v.shape() == shape || element_count(v.shape()) != 1) return v;
  if (v.shape().size() > shape.size()) v = rw.scalar(v.type(), *single_value(v));
  const Value target = rw.indices(shape);
  return rw.make("Broadcast", {v, target}, attributes({{"mode", "numpy"}}), 3)->value();
}

struct MulAdd {
  Value x, weights, biases;
  Node* multiply;
};

std::optional<MulAdd> match_mul_add(Node* add) {
  for (const auto& [m, b] : either_order(add)) {
    Node* multiply = producer(m, "Multiply");
    if (!multiply || !constant_of(b)) continue;
    for (const auto& [x, w] : either_order(multiply))
      if (constant_of(w)) return MulAdd{x, w, b, multiply};
  }
  return std::nullopt;
}

/// Compared in single precision, so that 1e-5 itself counts.
bool is_negligible(Value constant, float neutral) {
  constexpr float kTolerance = 1e-5f;
  return std::ranges::all_of(constant_of(constant)->to_f32(),
                             [&](float v) { return std::fabs(v - neutral) < kTolerance; });
}

bool remove_identity(Rewriter& rw, Node* n, Value x) {
  if (feeds_result(n->value()) && x.node->use_count() != 1) return false;
  if (!x.node->is("Parameter") && x.node->output_count() == 1) x.node->name = n->name;
  return rw.redirect(n->value(), x);
}

bool to_scale_shift(Rewriter& rw, Node* n) {
  const auto m = is_float(n->element_type()) ? match_mul_add(n) : std::nullopt;
  if (!m || m->weights.type() != m->biases.type() || m->x.type() != m->weights.type()) return false;
  const bool useless = is_negligible(m->weights, 1) && is_negligible(m->biases, 0);
  if (useless && remove_identity(rw, n, m->x)) return true;
  const Fit w = fit(m->weights, m->x), b = fit(m->biases, m->multiply->value());
  const bool per_channel = w == Fit::ScaleShift || b == Fit::ScaleShift;
  if (w == Fit::None || b == Fit::None || (per_channel && n->shape().size() < 4)) return false;
  if (per_channel) {
    const Value weights = spread(rw, m->weights, m->biases.shape()), biases = spread(rw, m->biases, m->weights.shape());
    return rw.replace(n, rw.make_like(n, "ScaleShiftIE", {m->x, weights, biases}));
  }
  if (!is_finite(m->weights) || !is_finite(m->biases)) return false;
  return rw.replace(n, power_layer(rw, n, m->x, *single_value(m->weights), *single_value(m->biases)));
}

bool constant_eltwise_to_legacy(Rewriter& rw, Node* n) {
  if (!is_float(n->element_type())) return false;
  const bool multiplies = n->is("Multiply");
  if (!multiplies && !n->is("Add")) return false;
  const int constant_port = constant_of(n->input(0)) ? 0 : 1;
  const Value c = n->input(constant_port), x = n->input(1 - constant_port);
  if (!constant_of(c)) return false;
  const bool useless = is_negligible(c, multiplies ? 1 : 0);
  if (useless && x.shape() == n->shape() && rw.eliminate(n->value(), x)) return true;
  const Fit f = fit(c, x);
  if (f == Fit::None || (f == Fit::ScaleShift && n->shape().size() < 4)) return false;
  if (f == Fit::Power) {
    if (!is_finite(c)) return false;
    const double v = *single_value(c);
    return rw.replace(n, multiplies ? power_layer(rw, n, x, v, 0) : power_layer(rw, n, x, 1, v));
  }
  const Value neutral = rw.filled(c.type(), c.shape(), multiplies ? 0 : 1);
  return rw.replace(n, rw.make_like(n, "ScaleShiftIE", {x, multiplies ? c : neutral, multiplies ? neutral : c}));
}

bool elementwise_to_legacy(Rewriter& rw, Node* n) {
  if (constant_eltwise_to_legacy(rw, n)) return true;
  // quirk: the reference puts another node in its place.
  if (rw.graph().release->tensor_names_follow) renew_tensor_names(n->output());
  return false;
}

constexpr RewriteRow kMultiplyAddToLegacy[] = {
    {{"Add"}, to_scale_shift},
};
constexpr RewriteRow kConstantElementwiseToLegacy[] = {
    {{"Multiply", "Add"}, elementwise_to_legacy},
};

}  // namespace

std::span<const RewriteRow> multiply_add_to_legacy() { return kMultiplyAddToLegacy; }
std::span<const RewriteRow> constant_elementwise_to_legacy() { return kConstantElementwiseToLegacy; }

}  // namespace blobsmith::transforms
