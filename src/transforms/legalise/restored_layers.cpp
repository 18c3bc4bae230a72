// Operations that frameworks write as several: they become one again. Keras 3 normalises rows as it does batches, and
// TensorFlow's exact GELU has a complement of the error function:
//
//   m = gamma · (variance + eps)^-0.5      x · m + (beta - mean · m)   is   gamma · MVN(x) + beta
//   0.5 · x · (1 - Erf(-0.7071 · x))                                   is   Gelu(x)
//
// gamma and beta may be missing. Beside the stages it is the range that counts: squares of differences overflow in
// FP16.
#include <algorithm>
#include <iterator>
#include <numbers>

#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

using transforms::constant_of;
using transforms::either_order;
using transforms::is_single;
using transforms::producer;
using transforms::single_value;

constexpr double kRounded = 1e-3;  ///< of a constant that may have been FP16

/// The mean of x over constant axes, which stay as axes of one.
Node* mean_of(Value v) {
  Node* n = producer(v, "ReduceMean");
  return n && constant_of(n->input(1)) && n->attrs.flag("keep_dims") ? n : nullptr;
}
Shape axes_of(const Node* mean) {
  return transforms::normalized_axes(constant_of(mean->input(1))->to_i64(), mean->shape().size());
}

struct Moments {
  Node* mean = nullptr;
  double eps = 0;
};

/// (variance of x + eps)^-0.5
std::optional<Moments> inverse_deviation(Value v) {
  const Node* power = producer(v, "Power");
  const Node* guarded = power && is_single(power->input(1), -0.5) ? producer(power->input(0), "Add") : nullptr;
  if (!guarded) return std::nullopt;
  for (const auto& [variance, eps] : either_order(guarded)) {
    const Node* of_squares = single_value(eps) ? mean_of(variance) : nullptr;
    const Node* squares = of_squares ? producer(of_squares->input(0), "SquaredDifference") : nullptr;
    if (!squares) continue;
    for (const auto& [x, m] : either_order(squares)) {
      Node* mean = mean_of(m);
      if (mean && mean->input(0) == x && axes_of(mean) == axes_of(of_squares)) return Moments{mean, *single_value(eps)};
    }
  }
  return std::nullopt;
}

/// What v is the negative of.
Value negated(Value v) {
  if (const Node* n = producer(v, "Negative")) return n->input(0);
  if (const Node* n = producer(v, "Multiply"))
    for (const auto& [a, b] : either_order(n))
      if (is_single(b, -1)) return a;
  return {};
}

/// mean · m, of either sign.
bool is_product_of(Value v, Value mean, Value m, bool negative) {
  if (negative)
    if (const Value positive = negated(v); positive && is_product_of(positive, mean, m, false)) return true;
  const Node* product = producer(v, "Multiply");
  if (!product) return false;
  for (const auto& [a, b] : either_order(product))
    if (b == m && (negative ? negated(a) == mean : a == mean)) return true;
  return false;
}

struct Shift {
  bool is_known = false;
  Value beta;  ///< none: there is none
};

/// beta - mean · m, as a difference or a sum.
Shift shift_of(Value v, Value mean, Value m) {
  if (is_product_of(v, mean, m, true)) return {true, {}};
  if (const Node* n = producer(v, "Subtract"); n && is_product_of(n->input(1), mean, m, false))
    return {true, n->input(0)};
  if (const Node* n = producer(v, "Add"))
    for (const auto& [product, beta] : either_order(n))
      if (is_product_of(product, mean, m, true)) return {true, beta};
  return {};
}

struct SpelledNorm {
  Moments moments;
  Value gamma, beta;  ///< none: there is none
};

/// x · m + shift
std::optional<SpelledNorm> spelled_norm(const Node& n) {
  for (const auto& [scaled, shift] : either_order(&n)) {
    const Node* product = producer(scaled, "Multiply");
    if (!product) continue;
    for (const auto& [x, m] : either_order(product)) {
      Value gamma;
      std::optional<Moments> moments = inverse_deviation(m);
      if (const Node* weighted = moments ? nullptr : producer(m, "Multiply"))
        for (const auto& [inverse, factor] : either_order(weighted))
          if (!moments && (moments = inverse_deviation(inverse))) gamma = factor;
      if (!moments || moments->mean->input(0) != x) continue;
      const Shift known = shift_of(shift, moments->mean->value(), m);
      if (known.is_known) return SpelledNorm{*moments, gamma, known.beta};
    }
  }
  return std::nullopt;
}

Value normalised(Rewriter& rw, const SpelledNorm& n) {
  Terms t(rw);
  const Node* mean = n.moments.mean;
  Value y =
      rw.make(
            "MVN", {mean->input(0), mean->input(1)},
            transforms::attributes({{"normalize_variance", true}, {"eps", n.moments.eps}, {"eps_mode", "inside_sqrt"}}),
            6)
          ->value();
  if (n.gamma) y = t.make("Multiply", {y, n.gamma});
  return n.beta ? t.make("Add", {y, n.beta}) : y;
}

/// The x of 1 + Erf(x / sqrt 2), or of 1 - Erf(-x / sqrt 2).
Value argument_of_gate(Value v) {
  const bool complement = producer(v, "Subtract") != nullptr;
  const Node* sum = complement ? producer(v, "Subtract") : producer(v, "Add");
  if (!sum) return {};
  for (const auto& [one, e] :
       {transforms::Operands{sum->input(0), sum->input(1)}, transforms::Operands{sum->input(1), sum->input(0)}}) {
    const Node* erf = is_single(one, 1) ? producer(e, "Erf") : nullptr;
    const Node* product = erf ? producer(erf->input(0), "Multiply") : nullptr;
    if (product)
      for (const auto& [x, factor] : either_order(product))
        if (is_single(factor, (complement ? -1 : 1) / std::numbers::sqrt2, kRounded)) return x;
    if (complement) break;  // 1 is what Erf is subtracted from
  }
  return {};
}

/// The x of 0.5 · x · gate(x), in any order.
Value argument_of_gelu(const Node& n) {
  const auto is_half_of = [](Value v, const auto& is) {
    const Node* product = producer(v, "Multiply");
    if (!product) return false;
    for (const auto& [a, half] : either_order(product))
      if (is_single(half, 0.5) && is(a)) return true;
    return false;
  };
  for (const auto& [a, b] : either_order(&n)) {
    Value x = argument_of_gate(b);
    if (x && is_half_of(a, [&](Value v) { return v == x; })) return x;
    const bool halved = is_half_of(b, [&](Value v) { return static_cast<bool>(x = argument_of_gate(v)); });
    if (halved && a == x) return x;
    const Node* product = is_single(a, 0.5) ? producer(b, "Multiply") : nullptr;
    if (product)
      for (const auto& [v, gate] : either_order(product))
        if (x = argument_of_gate(gate); x && v == x) return x;
  }
  return {};
}

}  // namespace

std::vector<Remark> restore_layers(Graph& graph) {
  std::vector<Remark> said;
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (n->body)
      transforms::in_body(graph, *n, [&](Graph& body) {
        std::ranges::move(restore_layers(body), std::back_inserter(said));
        return true;
      });
    if (n->use_count() == 0 || !is_float(n->value().type())) continue;
    rw.set_origin(n->source);
    if (const auto norm = n->is("Add") ? spelled_norm(*n) : std::nullopt) {
      said.push_back(
          {Remark::Kind::Rewritten, n->name, n->type, n->source, "as a normalisation, which it is the end of"});
      rw.replace(n, normalised(rw, *norm).node);
    } else if (const Value x = n->is("Multiply") ? argument_of_gelu(*n) : Value()) {
      said.push_back({Remark::Kind::Rewritten, n->name, n->type, n->source, "as a Gelu, which it is the end of"});
      rw.replace(n, rw.make("Gelu", {x}, {}, 7));
    }
  }
  if (!said.empty()) graph.remove_unreachable();
  return said;
}

}  // namespace blobsmith::legalise_rows
