// Operations that change nothing vanish; Squeeze and Unsqueeze become Reshape (front-end spec §5.4,
// CommonEliminations).
#include <algorithm>
#include <numeric>

#include "transforms/conversion/predicates.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool eliminate_unsqueeze_gather(Rewriter& rw, Node* n) {
  Node* unsqueeze = producer(n->input(0), "Unsqueeze");
  if (!unsqueeze || !has_one_user(n->input(0)) || !n->input(1).shape().empty() || !is_single(n->input(1), 0))
    return false;
  const auto axis = single_value(n->input(2)), added = single_value(unsqueeze->input(1));
  if (!axis || !added || *axis != *added) return false;
  return rw.redirect(n->value(), unsqueeze->input(0));
}

bool eliminate_gather(Rewriter& rw, Node* n) {
  const Value data = n->input(0);
  const auto axis = single_value(n->input(2));
  if (n->version != 1 || !axis || !is_static(data.shape()) || data.shape().size() != n->shape().size()) return false;
  const int64_t dim = data.shape()[axis_from_front(static_cast<int64_t>(*axis), data.shape().size())];
  if (dim == 1 && data.shape() == n->shape()) return rw.eliminate(n->value(), data);
  const Tensor* indices = constant_of(n->input(1));
  if (!indices || element_count(indices->shape) != dim) return false;
  std::vector<int64_t> identity(static_cast<size_t>(dim));
  std::iota(identity.begin(), identity.end(), 0);
  return indices->to_i64() == identity && rw.eliminate(n->value(), data);
}

bool eliminate_same_shape(Rewriter& rw, Node* n) {
  if (!is_static(n->shape()) || n->input(0).shape() != n->shape()) return false;
  return rw.eliminate(n->value(), n->input(0));
}

// Broadcasts of version 3 stay and end as Tiles of ones.
bool eliminate_broadcast_1(Rewriter& rw, Node* n) { return n->version == 1 && eliminate_same_shape(rw, n); }

bool eliminate_convert(Rewriter& rw, Node* n) {
  if (n->input(0).type() != n->element_type()) return false;
  return rw.eliminate(n->value(), n->input(0));
}

bool eliminate_concat(Rewriter& rw, Node* n) { return n->input_count() == 1 && rw.eliminate(n->value(), n->input(0)); }

bool only_changes_shape(const Node& n) { return n.is("Reshape") || n.is("Squeeze") || n.is("Unsqueeze"); }

bool eliminate_reshape(Rewriter& rw, Node* n) {
  const Value x = n->input(0);
  if (!is_static(x.shape()) || !is_static(n->shape())) return false;
  if (x.shape() == n->shape()) return rw.eliminate(n->value(), x);
  if (!only_changes_shape(*x.node)) return false;
  return rw.replace(n, rw.reshape(x.node->input(0), n->shape()));
}

}  // namespace

bool squeeze_to_reshape(Rewriter& rw, Node* n) {
  if (n->shape().empty() || std::ranges::count(n->shape(), kDynamic) > 1) return false;
  Value x = n->input(0);
  if (only_changes_shape(*x.node)) x = x.node->input(0);
  Node* reshape = rw.reshape(x, n->shape());
  if (x.node->is("Parameter") && feeds_result(n->value())) {
    rw.release(reshape);  // quirk: it has taken its numbers all the same
    return false;
  }
  if (x.shape() != n->shape()) return rw.replace(n, reshape);
  // The unused Reshape counts as a user of x while the name of a network output is decided.
  const bool done = rw.eliminate(n->value(), x);
  rw.release(reshape);
  return done;
}

namespace {

// ---- as the model optimizations have it ----

bool eliminate_zero_pad(Rewriter& rw, Node* n) {
  const auto is_zero = [](Value v) { return uniform_value(v) == 0.0; };
  return is_zero(n->input(1)) && is_zero(n->input(2)) && rw.eliminate(n->value(), n->input(0));
}

bool eliminate_convert_before_non_zero(Rewriter& rw, Node* n) {
  Node* convert = producer(n->input(0), "Convert");
  if (!convert || !has_one_user(n->input(0))) return false;
  rw.set_input(n, 0, convert->input(0));
  rw.visit(n);
  return true;
}

bool eliminate_whole_split(Rewriter& rw, Node* n) {
  return n->output_count() == 1 && rw.eliminate(n->value(), n->input(0));
}

bool eliminate_transpose_in_order(Rewriter& rw, Node* n) {
  const Tensor* order = constant_of(n->input(1));
  if (!order) return false;
  const std::vector<int64_t> axes = order->to_i64();
  std::vector<int64_t> in_order(axes.size());
  std::iota(in_order.begin(), in_order.end(), 0);
  return axes == in_order && rw.eliminate(n->value(), n->input(0));
}

bool eliminate_neutral_constant(Rewriter& rw, Node* n) {
  for (const auto& [x, c] : either_order(n))
    if (is_neutral(*n, x, c)) return rw.eliminate(n->value(), x);
  return false;
}

bool eliminate_lone_reshape(Rewriter& rw, Node* n) {
  const Value x = n->input(0);
  if (!is_static(x.shape()) || !is_static(n->shape())) return false;
  if (x.shape() == n->shape()) return rw.eliminate(n->value(), x);
  if (!only_changes_shape(*x.node) || !has_one_user(x)) return false;
  const Value before = x.node->input(0);
  if (before.shape() == n->shape()) return rw.eliminate(n->value(), before);
  return rw.replace(n, rw.reshape(before, n->shape()));
}

constexpr RewriteRow kModelNopEliminations[] = {
    {{"Gather"}, eliminate_unsqueeze_gather},
    {{"Pad"}, eliminate_zero_pad},
    {{"Convert"}, eliminate_convert},
    {{"NonZero"}, eliminate_convert_before_non_zero},
    {{"Concat"}, eliminate_concat},
    {{"Split"}, eliminate_whole_split},
    {{"Transpose"}, eliminate_transpose_in_order},
    {{"Add", "Subtract", "Multiply", "Divide"}, eliminate_neutral_constant},
    {{"Reshape"}, eliminate_lone_reshape},
    {{"Squeeze", "Unsqueeze"}, squeeze_to_reshape},
    {{"Broadcast"}, eliminate_broadcast_1},
    {{"Gather"}, eliminate_gather},
};
constexpr RewriteRow kNopEliminations[] = {
    {{"Gather"}, eliminate_unsqueeze_gather},
    {{"Gather"}, eliminate_gather},
    {{"Pad"}, eliminate_same_shape},
    {{"Convert"}, eliminate_convert},
    {{"Reshape"}, eliminate_reshape},
    {{"Concat"}, eliminate_concat},
    {{"Squeeze", "Unsqueeze"}, squeeze_to_reshape},
    {{"Broadcast"}, eliminate_broadcast_1},
};

}  // namespace

bool dequantizes(const Node& n) {
  if (!n.is("Multiply")) return false;
  Node* subtract = producer(n.input(0), "Subtract");
  Node* convert = producer(subtract ? subtract->input(0) : n.input(0), "Convert");
  return convert && is_integer(convert->input(0).type()) && is_float(convert->element_type());
}

// quirk: a constant in half precision is never looked at.
bool is_neutral(const Node& n, Value x, Value constant) {
  const Tensor* t = constant_of(constant);
  if (!t || t->type == ElementType::f16 || constant_of(x)) return false;
  const double neutral = n.is("Multiply") || n.is("Divide") ? 1 : 0;
  return uniform_value(constant) == neutral && broadcasts_into(constant.shape(), x.shape()) && !dequantizes(n);
}

std::span<const RewriteRow> nop_eliminations() { return kNopEliminations; }
std::span<const RewriteRow> model_nop_eliminations() { return kModelNopEliminations; }

}  // namespace blobsmith::transforms
