// Chains of additions and multiplications by constants: multiplications move in front, neighbours merge
// (front-end spec §5.4, LinOpSequenceFusion).
#include "transforms/conversion/passes.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

struct Linear {
  Value x, constant;
};

// v = x <type> constant, with no other user when `exclusive`.
std::optional<Linear> linear(Value v, std::string_view type, bool exclusive) {
  Node* n = producer(v, type);
  if (!n || (exclusive && !has_one_user(v)) || n->attrs.flag(kStaysApart)) return std::nullopt;
  for (const auto& [x, c] : either_order(n))
    if (constant_of(c)) return Linear{x, c};
  return std::nullopt;
}

bool same_types(Value a, Value b, Value c) { return a.type() == b.type() && b.type() == c.type(); }

// type(type(x, c1), c2) -> type(x, c1 <type> c2)
bool merge_chain(Rewriter& rw, Node* n, std::string_view type) {
  const auto outer = linear(n->value(), type, false);
  const auto inner = outer ? linear(outer->x, type, true) : std::nullopt;
  if (!inner || !same_types(inner->x, inner->constant, outer->constant)) return false;
  const Value merged = rw.folded(std::string(type), inner->constant, outer->constant);
  return rw.replace(n, rw.visit(rw.make(std::string(type), {inner->x, merged})));
}

bool multiply_before_add(Rewriter& rw, Node* n) {  // (x + c1) · c2 -> x · c2 + c1 · c2
  const auto multiply = linear(n->value(), "Multiply", false);
  const auto add = multiply ? linear(multiply->x, "Add", true) : std::nullopt;
  if (!add || !same_types(add->x, add->constant, multiply->constant)) return false;
  Node* scaled = rw.visit(rw.make("Multiply", {add->x, multiply->constant}));
  const Value shift = rw.folded("Multiply", add->constant, multiply->constant);
  return rw.replace(n, rw.make("Add", {scaled->value(), shift}));
}

bool fuse_add_add(Rewriter& rw, Node* n) { return merge_chain(rw, n, "Add"); }
bool fuse_multiply_multiply(Rewriter& rw, Node* n) { return merge_chain(rw, n, "Multiply"); }

constexpr RewriteRow kLinearChainFusions[] = {
    {{"Multiply"}, multiply_before_add},
    {{"Add"}, fuse_add_add},
    {{"Multiply"}, fuse_multiply_multiply},
};

}  // namespace

std::span<const RewriteRow> linear_chain_fusions() { return kLinearChainFusions; }

}  // namespace blobsmith::transforms
