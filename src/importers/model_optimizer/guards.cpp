// Small constants that keep logarithms and quotients finite (log(x + 1e-10), x / (y + 1e-7)) are 0 in FP16, or so small
// that their reciprocal is infinite: where x or y is 0, or becomes 0 in FP16, the result would be no number.
//
//   log(x + c)   the largest of log(x), log(x s + c s) - log(s) and log(c), s a power of two that lifts c into
//                range; of a square or a sum of squares, what is squared is lifted
//   a / (y + c)  a / max(y + c, the least number with a reciprocal in FP16)
#include <algorithm>
#include <cmath>
#include <numbers>

#include "importers/model_optimizer/rewrites.hpp"
#include "transforms/conversion/passes.hpp"

namespace blobsmith::model_optimizer {
namespace {

using transforms::attributes;
using transforms::constant_of;
using transforms::has_one_user;
using transforms::uniform_value;

constexpr double kLeastNormal = 1.0 / 16384, kLeastHalf = kLeastNormal / 1024, kLeastWithReciprocal = 1.6e-5;

struct Guard {
  Node* node = nullptr;  ///< Add, Maximum or Clamp
  Value data;
  double least = 0;  ///< the constant, above 0
};

std::optional<Guard> guard_at(Value v) {
  Node* n = v.node;
  if (!is_float(v.type()) || v.type() == ElementType::f16) return std::nullopt;
  if (n->is("Clamp")) {
    const double least = n->attrs.real("min", 0);
    return least > 0 ? std::optional(Guard{n, n->input(0), least}) : std::nullopt;
  }
  if (!n->is("Add") && !n->is("Maximum")) return std::nullopt;
  for (const int port : {0, 1})
    if (const auto c = uniform_value(n->input(port)); c && *c > 0) return Guard{n, n->input(1 - port), *c};
  return std::nullopt;
}

std::optional<double> exponent_of(const Node& n) {
  return n.is("Power") ? uniform_value(n.input(1)) : n.is("Sqrt") ? std::optional(0.5) : std::nullopt;
}

bool moves_only(const Node& n) {
  return n.is("Reshape") || n.is("Transpose") || n.is("Squeeze") || n.is("Unsqueeze") || n.is("Broadcast") ||
         n.is("Tile");
}

/// Of what is computed by `steps` operations at most.
bool is_never_negative(Value v, int steps = 6) {
  const Node& n = *v.node;
  if (const Tensor* t = constant_of(v)) {
    const std::vector<double> values = doubles(*t);
    return std::ranges::all_of(values, [](double x) { return x >= 0; });
  }
  if (steps == 0) return false;
  for (const char* type :
       {"Sqrt", "Abs", "Exp", "Sigmoid", "Relu", "ReLU", "SoftMax", "Softmax", "ReduceL1", "ReduceL2"})
    if (n.is(type)) return true;
  const auto inner = [&](int port) { return is_never_negative(n.input(port), steps - 1); };
  if (n.is("Power")) {
    const auto e = exponent_of(n);
    return (e && std::fmod(*e, 2) == 0) || inner(0);
  }
  if (n.is("Clamp")) return n.attrs.real("min", -1) >= 0;
  if (n.is("Multiply")) return n.input(0) == n.input(1) || (inner(0) && inner(1));
  if (n.is("SquaredDifference")) return true;
  if (n.is("Maximum")) {
    const auto is_negated = [&](Value a, Value b) {
      return a.node->is("Multiply") && (a.node->input(0) == b || a.node->input(1) == b);
    };
    return inner(0) || inner(1) || is_negated(n.input(0), n.input(1)) || is_negated(n.input(1), n.input(0));
  }
  if (n.is("Add") || n.is("Divide") || n.is("Minimum")) return inner(0) && inner(1);
  return (moves_only(n) || n.is("ReduceSum") || n.is("ReduceMean") || n.is("ReduceMax") || n.is("ReduceMin")) &&
         inner(0);
}

class Writer {
 public:
  explicit Writer(Rewriter& rw) : rw_(rw) {}
  Value apart(Node* n) {
    n->attrs.set(transforms::kStaysApart, true);
    return n->value();
  }
  Value with(const char* op, Value x, double v) { return apart(rw_.make(op, {x, rw_.scalar(x.type(), v)})); }
  Value log(Value x) { return rw_.make("Log", {x})->value(); }
  Value clamp(Value x, double min, double max) {
    return rw_.make("Clamp", {x}, attributes({{"min", min}, {"max", max}}))->value();
  }

 private:
  Rewriter& rw_;
};

/// The number that v is the square of, or nothing.
std::optional<Value> root_of(Value v) {
  const Node& n = *v.node;
  if (n.is("Multiply") && n.input(0) == n.input(1)) return n.input(0);
  if (n.is("Power") && uniform_value(n.input(1)) == 2.0) return n.input(0);
  return std::nullopt;
}

bool is_root(const Node& n) { return exponent_of(n) == 0.5; }

/// The number whose square v is lifted as: FP16 loses the digits of a square, and of a sum of squares, before those of
/// what is squared. Nothing where v is no such thing.
std::optional<Value> squared_in(Value v, int steps = 8) {
  if (steps == 0) return std::nullopt;
  if (const auto root = root_of(v)) {
    Value r = *root;
    for (int moves = 0; moves < 4 && moves_only(*r.node); ++moves) r = r.node->input(0);
    if (is_root(*r.node))
      if (const auto inner = squared_in(r.node->input(0), steps - 1)) return inner;
    return root;
  }
  if (moves_only(*v.node) || v.node->is("ReduceSum")) return squared_in(v.node->input(0), steps - 1);
  return std::nullopt;
}

/// v, made of `squared` instead of the square of `base`.
Value made_of(Rewriter& rw, Value v, Value base, Value squared) {
  const auto root = root_of(v);
  if (root && *root == base) return squared;
  if (root) return made_of(rw, *root, base, squared);
  const Node& n = *v.node;
  if (is_root(n)) return made_of(rw, n.input(0), base, squared);
  std::vector<Value> inputs{made_of(rw, n.input(0), base, squared)};
  for (size_t i = 1; i < n.inputs().size(); ++i) inputs.push_back(n.input(static_cast<int>(i)));
  return rw.make(n.type, std::move(inputs), n.attrs)->value();
}

/// log(x + c) from numbers that are lifted out of the range in which FP16 loses their digits.
Value lifted_log(Rewriter& rw, Value x, double c) {
  Writer w(rw);
  constexpr int kMostBits = 14;
  constexpr double kLifted = 1.0 / 128;  // what c becomes
  const auto base = squared_in(x);
  const double power = base ? 2 : 1;
  const int bits = std::clamp(static_cast<int>(std::ceil(std::log2(kLifted / c) / power)), 0, kMostBits);
  const auto terms = base ? static_cast<double>(element_count(base->shape())) /
                                static_cast<double>(std::max<int64_t>(element_count(x.shape()), 1))
                          : 1;
  const double factor = std::ldexp(1.0, bits), largest = base ? 128 / std::sqrt(std::max(terms, 1.0)) : 16384;
  Value y = w.clamp(base.value_or(x), base ? -largest / factor : 0, largest / factor);
  y = w.with("Multiply", y, factor);
  if (base) y = made_of(rw, x, *base, rw.make("Multiply", {y, y})->value());
  y = w.with("Add", y, std::max(c * std::pow(factor, power), kLeastHalf));
  return w.with("Add", w.log(y), -power * bits * std::numbers::ln2);
}

bool guard_log(Rewriter& rw, Node* n) {
  const auto g = guard_at(n->input(0));
  if (!g || g->least >= kLeastNormal) return false;
  Writer w(rw);
  const bool is_clamp = g->node->is("Clamp");
  const Value positive = is_clamp ? w.clamp(g->data, 0, g->node->attrs.real("max")) : w.with("Maximum", g->data, 0);
  Value y = w.log(positive);
  if (g->node->is("Add") && (squared_in(g->data) || g->least > kLeastHalf / 4))
    y = rw.make("Maximum", {y, lifted_log(rw, g->data, g->least)})->value();
  return rw.replace(n, rw.make("Maximum", {y, rw.scalar(y.type(), std::log(g->least))}));
}

/// The least value that such a denominator may have, to the power `exponent`.
bool guard_denominator(Rewriter& rw, Value v, double exponent) {
  constexpr int kMostSteps = 6;
  for (int step = 0; step < kMostSteps; ++step) {
    if (const auto g = guard_at(v)) {
      const double floor = std::max(kLeastHalf, std::pow(kLeastWithReciprocal, 1 / exponent));
      if (g->least >= floor) return false;
      Node* n = g->node;
      if (n->is("Clamp")) {
        n->attrs.set("min", floor);
        return true;
      }
      const bool sums = n->is("Add");
      const bool of_norm =
          g->data.node->is("Sqrt") || g->data.node->is("ReduceL2") || exponent_of(*g->data.node).value_or(1) < 1;
      const bool positive = is_never_negative(g->data);
      if (sums && positive && !of_norm && floor > kLeastHalf) {
        const std::vector<NodeUse> uses = v.node->output(v.port).uses;
        const Value at_least = rw.make("Maximum", {v, rw.scalar(v.type(), floor)})->value();
        for (const NodeUse& use : uses) rw.set_input(use.node, use.port, at_least);
        return true;
      }
      const double c = sums && !positive ? kLeastHalf : floor;
      if (g->least >= c) return false;
      const int port = n->input(0) == g->data ? 1 : 0;
      const Tensor& old = n->input(port).node->constant;
      const std::vector<double> values(static_cast<size_t>(element_count(old.shape)), c);
      rw.set_input(n, port, rw.constant(Tensor::reals(old.type, old.shape, values)));
      return true;
    }
    if (const auto e = exponent_of(*v.node)) {
      if (*e <= 0) return false;
      exponent *= *e;
    } else if (!moves_only(*v.node)) {
      return false;
    }
    v = v.node->input(0);
  }
  return false;
}

bool guard(Rewriter& rw, Node* n) {
  if (n->is("Log")) return guard_log(rw, n);
  if (n->is("Divide")) return !n->input(1).node->is_constant() && guard_denominator(rw, n->input(1), 1);
  const auto e = exponent_of(*n);
  return e && *e < 0 && guard_denominator(rw, n->input(0), -*e);
}

}  // namespace

std::vector<Remark> keep_guards(Graph& graph) {
  std::vector<Remark> said;
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (n->body) std::ranges::move(keep_guards(*n->body), std::back_inserter(said));
    if ((!n->is("Log") && !n->is("Divide") && !n->is("Power")) || !is_float(n->element_type())) continue;
    rw.set_origin(n->source);
    Remark r = remark(Remark::Kind::NotAsIntel, *n,
                      "a small constant in front, which is 0 in FP16 or has no reciprocal, keeps its meaning");
    if (guard(rw, n)) said.push_back(std::move(r));
  }
  return said;
}

}  // namespace blobsmith::model_optimizer
