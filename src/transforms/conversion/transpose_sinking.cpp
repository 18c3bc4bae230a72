// Transposes move behind reductions and type conversions, merge with each other, and replace Split-Squeeze-Concat
// (front-end spec §5.4, TransposeSinking).
//
// A Transpose by [0, 2, 3, 1] (NCHW to NHWC) before a mean over axes 1 and 2 changes which axes are meant, not the
// result: the mean is taken over axes order[1] = 2 and order[2] = 3 of what the Transpose reads, and the Transpose
// moves behind it. Without keep_dims only the order of the axes that are left matters: of [0, 2, 3, 1] that is [0, 1],
// which the merging of Transposes or the elimination of useless ones then removes.
#include <algorithm>
#include <numeric>

#include "core/release.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/dynamic/shapes.hpp"

namespace blobsmith::transforms {
namespace {

std::optional<std::vector<int64_t>> constant_order(const Node& transpose) {
  const Tensor* t = constant_of(transpose.input(1));
  if (!t) return std::nullopt;
  std::vector<int64_t> order = t->to_i64();
  if (order.size() != transpose.shape().size()) return std::nullopt;
  return order;
}

// The order that is left once `axes` are gone: ranks of the remaining entries.
std::vector<int64_t> reduced_order(const std::vector<int64_t>& order, const Shape& axes) {
  std::vector<int64_t> kept;
  for (size_t i = 0; i < order.size(); ++i)
    if (std::ranges::find(axes, static_cast<int64_t>(i)) == axes.end()) kept.push_back(order[i]);
  std::vector<int64_t> sorted = kept;
  std::ranges::sort(sorted);
  for (int64_t& k : kept) k = std::ranges::lower_bound(sorted, k) - sorted.begin();
  return kept;
}

bool sink_transpose_through_reduce(Rewriter& rw, Node* n) {
  Node* transpose = producer(n->input(0), "Transpose");
  if (!transpose || n->input_count() < 2) return false;
  if (!rw.graph().release->sinks_shared_transposes && !has_one_user(n->input(0))) return false;
  const auto order = constant_order(*transpose);
  const Tensor* axes_constant = constant_of(n->input(1));
  if (!order || !axes_constant) return false;
  const Shape axes = normalized_axes(axes_constant->to_i64(), order->size());
  const bool keep_dims = n->attrs.flag("keep_dims");  // Squeeze has none and keeps none
  std::vector<int64_t> source_axes;
  for (int64_t a : axes) source_axes.push_back((*order)[static_cast<size_t>(a)]);

  const Value new_axes = rw.indices(source_axes);
  Node* reduce = rw.visit(rw.copy(n, {transpose->input(0), new_axes}));
  Node* after = rw.transpose(reduce->value(), keep_dims ? *order : reduced_order(*order, axes));
  return rw.replace(n, after);
}

bool sink_transpose_through_convert(Rewriter& rw, Node* n) {
  Node* transpose = producer(n->input(0), "Transpose");
  if (!rw.graph().release->sinks_transposes_behind_converts || !transpose || !has_one_user(n->input(0)) ||
      !constant_order(*transpose))
    return false;
  Node* convert = rw.copy(n, {transpose->input(0)});
  return rw.replace(n, rw.visit(rw.make("Transpose", {convert->value(), transpose->input(1)})));
}

bool fuse_transposes(Rewriter& rw, Node* n) {
  Node* first = producer(n->input(0), "Transpose");
  if (!first || !has_one_user(n->input(0))) return false;
  const auto inner = constant_order(*first), outer = constant_order(*n);
  if (!inner || !outer) return false;
  std::vector<int64_t> order;
  for (int64_t o : *outer) order.push_back((*inner)[axis_from_front(o, inner->size())]);
  if (std::ranges::is_sorted(order)) return rw.eliminate(n->value(), first->input(0));
  Node* both = rw.transpose(first->input(0), order);
  if (n->attrs.flag(dynamic::kExactShape)) both->attrs.set(dynamic::kExactShape, true);
  return rw.replace(n, rw.visit(both));
}

// The Split whose outputs, all in order and each squeezed along the split axis, are what `concat` joins.
Node* squeezed_split(const Node& concat, int64_t& split_axis) {
  Node* split = nullptr;
  for (int i = 0; i < concat.input_count(); ++i) {
    Node* squeeze = producer(concat.input(i), "Squeeze");
    if (!squeeze || squeeze->input_count() < 2 || squeeze->use_count() != 1) return nullptr;
    const Value part = squeeze->input(0);
    if (!part.node->is("Split") || (split && split != part.node) || part.port != i) return nullptr;
    split = part.node;
    const auto axis = single_value(split->input(1)), squeezed = single_value(squeeze->input(1));
    if (!axis || !squeezed) return nullptr;
    split_axis = static_cast<int64_t>(axis_from_front(static_cast<int64_t>(*axis), part.shape().size()));
    if (part.shape()[static_cast<size_t>(split_axis)] != 1) return nullptr;
    if (axis_from_front(static_cast<int64_t>(*squeezed), part.shape().size()) != static_cast<size_t>(split_axis))
      return nullptr;
  }
  return split && split->output_count() == concat.input_count() ? split : nullptr;
}

bool fuse_split_squeeze_concat(Rewriter& rw, Node* n) {
  int64_t split_axis = 0;
  Node* split = squeezed_split(*n, split_axis);
  if (!split) return false;
  const Value x = split->input(0);
  const auto concat_axis = static_cast<int64_t>(axis_from_front(n->attrs.integer("axis"), n->shape().size()));
  // The split axis moves right before the axis along which its parts are joined.
  std::vector<int64_t> order(x.shape().size());
  std::iota(order.begin(), order.end(), 0);
  order.erase(order.begin() + split_axis);
  order.insert(order.begin() + concat_axis, split_axis);
  Node* transpose = rw.transpose(x, order);
  return rw.replace(n, rw.reshape(transpose->value(), n->shape()));
}

constexpr RewriteRow kTransposeSinking[] = {
    {{"ReduceMax", "ReduceMin", "ReduceMean", "ReduceSum", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogicalAnd",
      "ReduceLogicalOr", "Squeeze"},
     sink_transpose_through_reduce},
    {{"Convert"}, sink_transpose_through_convert},
    {{"Transpose"}, fuse_transposes},
    {{"Concat"}, fuse_split_squeeze_concat},
};

}  // namespace

std::span<const RewriteRow> transpose_sinking() { return kTransposeSinking; }

}  // namespace blobsmith::transforms
