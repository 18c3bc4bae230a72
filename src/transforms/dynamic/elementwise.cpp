// Real shapes of arithmetic on tensors of unknown shape: element by element, reductions, matrices (front-end spec
// §5.7).
#include <algorithm>
#include <numeric>

#include "transforms/dynamic/shapes.hpp"

namespace blobsmith::transforms::dynamic {

void elementwise(Rewriter& rw, Node* n) {
  const Value shape = shape_of(n->input(0));
  if (!shape) refuse(*n, "expects DynamicShapeResolver ver. 0 as input with index 0");
  resolve_copy(rw, n, shape);
}

namespace {

Value with_ones_in_front(Rewriter& rw, Value shape, ElementType type, size_t count) {
  if (count == 0) return shape;
  const Value ones = integers(rw, type, std::vector<int64_t>(count, 1));
  return joined(rw, {ones, shape});
}

// Where `of` is empty along an axis, so is the result.
Value empty_where(Rewriter& rw, Value of, Value shape, ElementType type) {
  const Value zeros = integers(rw, type, std::vector<int64_t>(static_cast<size_t>(of.shape()[0]), 0));
  const Value empty = rw.make("Equal", {of, zeros})->value();
  return rw.make("Select", {empty, zeros, shape})->value();
}

void broadcast_together(Rewriter& rw, Node* n, int left, int right) {
  const size_t left_rank = n->input(left).shape().size(), right_rank = n->input(right).shape().size();
  Node* copy = rw.copy(n, n->inputs());
  const ElementType type = shape_type(*n, {left, right});
  Value l = shape_or_constant(rw, *n, n->input(left), type);
  Value r = shape_or_constant(rw, *n, n->input(right), type);
  const size_t rank = std::max(left_rank, right_rank);
  l = with_ones_in_front(rw, l, type, rank - left_rank);
  r = with_ones_in_front(rw, r, type, rank - right_rank);
  Value shape = rw.make("Maximum", {l, r})->value();
  shape = empty_where(rw, l, shape, type);
  shape = empty_where(rw, r, shape, type);
  resolve(rw, n->value(), copy->value(), shape, n->name);
}

}  // namespace

void binary(Rewriter& rw, Node* n) { broadcast_together(rw, n, 0, 1); }
void select(Rewriter& rw, Node* n) { broadcast_together(rw, n, 1, 2); }

void reduce(Rewriter& rw, Node* n) {
  const Value shape = shape_of(n->input(0));
  if (!shape) refuse(*n, "expects DynamicShapeResolver ver. 0 as input with index 0");
  const std::vector<int64_t> axes = constant_integers(*n, 1);
  const ElementType type = shape.type();
  if (n->attrs.flag("keep_dims")) {
    const Value axis = rw.indices({0}), ones = integers(rw, type, std::vector<int64_t>(axes.size(), 1)),
                reduced = integers(rw, type, axes);
    resolve_copy(rw, n, rw.make("ScatterElementsUpdate", {shape, reduced, ones, axis})->value());
    return;
  }
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < static_cast<int64_t>(n->input(0).shape().size()); ++i)
    if (std::ranges::find(axes, i) == axes.end()) kept.push_back(i);
  resolve_copy(rw, n, pick(rw, shape, type, kept));
}

namespace {

// The shape of an operand with as many dimensions as the other's, untransposed.
Value matrix_shape(Rewriter& rw, Value shape, ElementType type, size_t rank, bool transposed) {
  shape = with_ones_in_front(rw, shape, type, rank - static_cast<size_t>(shape.shape()[0]));
  if (!transposed) return shape;
  std::vector<int64_t> order(rank);
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[rank - 1], order[rank - 2]);
  const Value indices = rw.indices(order), axis = rw.index(0);
  return rw.make("Gather", {shape, indices, axis}, {}, 1)->value();
}

Value one_dim(Rewriter& rw, Value shape, size_t at) {
  const Value axis = rw.index(0), which = rw.indices({static_cast<int64_t>(at)});
  return rw.make("Gather", {shape, which, axis}, {}, 1)->value();
}

}  // namespace

void mat_mul(Rewriter& rw, Node* n) {
  const ElementType type = shape_type(*n, {0, 1});
  Value a = shape_or_constant(rw, *n, n->input(0), type);
  Value b = shape_or_constant(rw, *n, n->input(1), type);
  const size_t rank = std::max({size_t{2}, n->input(0).shape().size(), n->input(1).shape().size()});
  a = matrix_shape(rw, a, type, rank, n->attrs.flag("transpose_a"));
  b = matrix_shape(rw, b, type, rank, n->attrs.flag("transpose_b"));
  std::vector<Value> dims;
  if (rank > 2) {
    const Value largest = rw.make("Maximum", {a, b})->value();
    dims.push_back(part(rw, largest, 0, static_cast<int64_t>(rank) - 2));
  }
  dims.push_back(one_dim(rw, a, rank - 2));
  dims.push_back(one_dim(rw, b, rank - 1));
  resolve_copy(rw, n, joined(rw, dims));
}

}  // namespace blobsmith::transforms::dynamic
