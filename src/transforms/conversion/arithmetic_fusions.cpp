// Arithmetic as the model optimizations restate it: divisions, subtractions and leaky ReLUs that models spell out, and
// divisions by constants as multiplications (releases spec §2).
#include "transforms/conversion/predicates.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool fuse_divide(Rewriter& rw, Node* n) {  // a · b^-1 -> a / b
  for (const auto& [a, inverse] : either_order(n))
    if (Node* power = producer(inverse, "Power"); power && is_single(power->input(1), -1))
      return rw.replace(n, rw.visit(rw.make("Divide", {a, power->input(0)})));
  return false;
}

std::optional<Value> negated(Value v) {  // x of x · (-1) or -x
  if (Node* negative = producer(v, "Negative")) return negative->input(0);
  Node* multiply = producer(v, "Multiply");
  if (!multiply) return std::nullopt;
  for (const auto& [x, factor] : either_order(multiply))
    if (is_single(factor, -1)) return x;
  return std::nullopt;
}

bool fuse_subtract(Rewriter& rw, Node* n) {  // a + b · (-1) -> a - b
  for (const auto& [a, b] : either_order(n))
    if (const auto subtrahend = negated(b)) return rw.replace(n, rw.visit(rw.make("Subtract", {a, *subtrahend})));
  return false;
}

constexpr const char* kMaximumApart = "apart";  ///< of a Maximum that is not to be restated

struct Leak {
  Value x, slope;
};

std::optional<Leak> leak(const Node& maximum) {  // Maximum(x, x · slope)
  for (const auto& [x, m] : either_order(&maximum)) {
    Node* multiply = producer(m, "Multiply");
    if (!multiply || !has_one_user(m)) continue;
    for (const auto& [factor, slope] : either_order(multiply))
      if (factor == x && is_static(slope.shape()) && element_count(slope.shape()) == 1) return Leak{x, slope};
  }
  return std::nullopt;
}

bool fuse_leaky_relu(Rewriter& rw, Node* n) {
  const auto found = n->attrs.flag(kMaximumApart) ? std::nullopt : leak(*n);
  return found && rw.replace(n, rw.visit(rw.make("PRelu", {found->x, found->slope})));
}

bool divide_by_constant(Rewriter& rw, Node* n) { return constant_of(n->input(1)) && multiply_by_inverse(rw, n); }

constexpr RewriteRow kArithmeticFusions[] = {
    {{"Multiply"}, fuse_divide},
    {{"Add"}, fuse_subtract},
};
constexpr RewriteRow kLeakyReluFusions[] = {
    {{"Maximum"}, fuse_leaky_relu},
};
constexpr RewriteRow kDivisionsByConstants[] = {
    {{"Divide"}, divide_by_constant},
};

}  // namespace

bool is_changed_by_leaky_relu(const Node& maximum) {
  const auto found = leak(maximum);
  if (!found) return false;
  const auto slope = single_value(found->slope);
  return !slope || *slope > 1;
}

Rewritten keep_maxima_apart(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (!n->is("Maximum") || !is_changed_by_leaky_relu(*n)) continue;
    n->attrs.set(kMaximumApart, true);
    list.push_back(rewritten(*n));
  }
  return list;
}

bool multiply_by_inverse(Rewriter& rw, Node* n) {
  if (!is_float(n->input(0).type())) return false;
  const Value divisor = n->input(1), minus_one = rw.scalar(divisor.type(), -1);
  const Value inverse = rw.computed(rw.make("Power", {divisor, minus_one}));
  Node* product = rw.make("Multiply", {n->input(0), inverse});
  if (!is_neutral(*product, inverse, n->input(0))) return rw.replace(n, product);
  rw.replace(n, inverse.node);
  rw.release(product);
  return true;
}

std::span<const RewriteRow> arithmetic_fusions() { return kArithmeticFusions; }
std::span<const RewriteRow> leaky_relu_fusions() { return kLeakyReluFusions; }
std::span<const RewriteRow> divisions_by_constants() { return kDivisionsByConstants; }

}  // namespace blobsmith::transforms
