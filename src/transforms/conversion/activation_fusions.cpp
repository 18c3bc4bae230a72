// Activations that models spell out as arithmetic become one operation: SoftPlus, Mish, Swish, Clamp, Gelu
// (front-end spec §5.4).
#include <cmath>

#include "core/release.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/conversion/shared_fusions.hpp"

namespace blobsmith::transforms {

bool fuse_softplus(Rewriter& rw, Node* n) {  // Log(Exp(x) + 1)
  Node* add = producer(n->input(0), "Add");
  if (!add) return false;
  for (const auto& [e, one] : either_order(add))
    if (Node* exp = producer(e, "Exp"); exp && is_single(one, 1, 0))
      return rw.replace(n, rw.make("SoftPlus", {exp->input(0)}));
  return false;
}

bool fuse_mish(Rewriter& rw, Node* n) {  // x · Tanh(SoftPlus(x))
  for (const auto& [x, t] : either_order(n)) {
    Node* tanh = producer(t, "Tanh");
    Node* softplus = tanh && has_one_user(t) ? producer(tanh->input(0), "SoftPlus") : nullptr;
    if (softplus && has_one_user(tanh->input(0)) && softplus->input(0) == x) return rw.replace(n, rw.make("Mish", {x}));
  }
  return false;
}

namespace {

// The factor β as a scalar; nothing where it has several values.
std::optional<Value> scalar_beta(Rewriter& rw, Value beta) {
  if (constant_of(beta)) {
    const auto value = uniform_value(beta);
    if (!value) return std::nullopt;
    return rw.scalar(beta.type(), *value);
  }
  if (!is_static(beta.shape()) || element_count(beta.shape()) != 1) return std::nullopt;
  return beta.shape().empty() ? beta : rw.reshape(beta, {})->value();
}

// `v` is x·β for the given x.
std::optional<Value> scaled_by(Value v, Value x) {
  Node* multiply = producer(v, "Multiply");
  if (!multiply) return std::nullopt;
  for (const auto& [a, beta] : either_order(multiply))
    if (a == x) return beta;
  return std::nullopt;
}

bool make_swish(Rewriter& rw, Node* n, Value x, Value argument) {
  if (argument == x) return rw.replace(n, rw.make("Swish", {x}));
  const auto factor = scaled_by(argument, x);
  const auto beta = factor ? scalar_beta(rw, *factor) : std::nullopt;
  return beta && rw.replace(n, rw.make("Swish", {x, *beta}));
}

}  // namespace

bool fuse_swish_sigmoid(Rewriter& rw, Node* n) {  // x · Sigmoid(x), x · Sigmoid(x·β)
  for (const auto& [x, s] : either_order(n))
    if (Node* sigmoid = producer(s, "Sigmoid"); sigmoid && make_swish(rw, n, x, sigmoid->input(0))) return true;
  return false;
}

namespace {

bool fuse_swish_exp(Rewriter& rw, Node* n) {  // x / (1 + Exp(-x)), x / (1 + Exp(-(x·β)))
  Node* add = producer(n->input(1), "Add");
  if (!add) return false;
  for (const auto& [e, one] : either_order(add)) {
    Node* exp = producer(e, "Exp");
    Node* negative = exp && is_single(one, 1, 0) ? producer(exp->input(0), "Negative") : nullptr;
    if (negative && make_swish(rw, n, n->input(0), negative->input(0))) return true;
  }
  return false;
}

bool make_clamp(Rewriter& rw, Node* n, Value x, double low, double high) {
  return rw.replace(n, rw.make("Clamp", {x}, attributes({{"min", low}, {"max", high}})));
}

bool fuse_clamp(Rewriter& rw, Node* n) {  // Minimum(Maximum(x, low), high)
  for (const auto& [m, high] : either_order(n)) {
    Node* maximum = producer(m, "Maximum");
    const auto high_value = single_value(high);
    if (!maximum || !has_one_user(m) || !high_value) continue;
    for (const auto& [x, low] : either_order(maximum))
      if (const auto low_value = single_value(low); low_value && !constant_of(x))
        return make_clamp(rw, n, x, *low_value, *high_value);
  }
  return false;
}

// Maximum(Minimum(x, high), low). quirk: it must not have several readers itself, but the Minimum may.
bool fuse_clamp_from_below(Rewriter& rw, Node* n) {
  if (!rw.graph().release->clamps_from_below || !has_one_user(n->value())) return false;
  if (!is_float(n->element_type())) return false;  // the chip clamps real numbers alone
  for (const auto& [m, low] : either_order(n)) {
    Node* minimum = producer(m, "Minimum");
    const auto low_value = single_value(low);
    if (!minimum || !low_value) continue;
    for (const auto& [x, high] : either_order(minimum))
      if (const auto high_value = single_value(high); high_value && !constant_of(x))
        return make_clamp(rw, n, x, *low_value, *high_value);
  }
  return false;
}

// The x of 1 + Erf(x / sqrt 2).
std::optional<Value> erf_argument(Value v) {
  Node* add = producer(v, "Add");
  if (!add) return std::nullopt;
  for (const auto& [e, one] : either_order(add)) {
    Node* erf = producer(e, "Erf");
    Node* divide = erf && is_single(one, 1) ? producer(erf->input(0), "Divide") : nullptr;
    if (divide && is_single(divide->input(1), static_cast<float>(std::sqrt(2.0)))) return divide->input(0);
  }
  return std::nullopt;
}

bool is_half(Value v) { return is_single(v, 0.5); }

// v is the product of two factors that the predicates accept.
template <class A, class B>
bool is_product(Value v, A a, B b) {
  Node* multiply = producer(v, "Multiply");
  if (!multiply) return false;
  for (const auto& [p, q] : either_order(multiply))
    if (a(p) && b(q)) return true;
  return false;
}

}  // namespace

// (0.5·x)·g, 0.5·(x·g) and x·(g·0.5) with g = 1 + Erf(x / sqrt 2).
bool fuse_gelu(Rewriter& rw, Node* n) {
  std::optional<Value> x;
  const auto is_gate = [&](Value v) { return (x = erf_argument(v)).has_value(); };
  const auto is_x = [&](Value v) { return x && v == *x; };
  for (const auto& [p, q] : either_order(n)) {
    x.reset();
    const bool form1 = is_gate(q) && is_product(p, is_x, is_half);
    const bool form2 = !form1 && is_half(p) && (is_product(q, is_gate, is_x));
    const bool form3 = !form1 && !form2 && is_product(q, is_gate, is_half) && is_x(p);
    if (form1 || form2 || form3) return rw.replace(n, rw.make("Gelu", {*x}, {}, 7));
  }
  return false;
}

namespace {

constexpr RewriteRow kActivationFusions[] = {
    {{"Log"}, fuse_softplus},
    {{"Multiply"}, fuse_mish},
    {{"Multiply"}, fuse_swish_sigmoid},
    {{"Divide"}, fuse_swish_exp},
};
constexpr RewriteRow kClampFusions[] = {
    {{"Minimum"}, fuse_clamp},
    {{"Maximum"}, fuse_clamp_from_below},
};
constexpr RewriteRow kGeluFusions[] = {
    {{"Multiply"}, fuse_gelu},
};

}  // namespace

std::span<const RewriteRow> activation_fusions() { return kActivationFusions; }
std::span<const RewriteRow> clamp_fusions() { return kClampFusions; }
std::span<const RewriteRow> gelu_fusions() { return kGeluFusions; }

}  // namespace blobsmith::transforms
