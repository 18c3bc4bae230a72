// Real shapes of tensors of unknown shape whose elements keep their order or move as a whole (front-end spec §5.7).
#include <algorithm>

#include "graph/ops/known_value.hpp"
#include "transforms/dynamic/shapes.hpp"

namespace blobsmith::transforms::dynamic {
namespace {

Shape sorted_axes(const Node& n, size_t rank) {
  Shape axes = normalized_axes(constant_integers(n, 1), rank);
  std::ranges::sort(axes);
  return axes;
}

}  // namespace

void transpose(Rewriter& rw, Node* n) {
  const Value shape = shape_of_data(*n);
  constant_integers(*n, 1);
  Node* copy = rw.copy(n, n->inputs());
  const Value axis = rw.indices({0});
  // quirk: this is the shape of the inverse Transpose; both are the same where the order is its own inverse.
  const Value result = n->attrs.flag(kExactShape)
                           ? rw.make("Gather", {shape, n->input(1), axis}, {}, 1)->value()
                           : rw.make("ScatterElementsUpdate", {shape, n->input(1), shape, axis})->value();
  resolve(rw, n->value(), copy->value(), result, n->name);
}

void squeeze(Rewriter& rw, Node* n) {
  const Value shape = shape_of_data(*n);
  const Shape axes = sorted_axes(*n, n->input(0).shape().size());
  if (axes.empty()) refuse(*n, "does not support default squeezing which may result in rank dynamism");
  Node* copy = rw.copy(n, n->inputs());
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < static_cast<int64_t>(n->input(0).shape().size()); ++i)
    if (std::ranges::find(axes, i) == axes.end()) kept.push_back(i);
  const Value indices = rw.indices(kept), axis = rw.indices({0});
  const Value result = rw.make("Gather", {shape, indices, axis}, {}, 1)->value();
  resolve(rw, n->value(), copy->value(), result, n->name);
}

void unsqueeze(Rewriter& rw, Node* n) {
  const Value shape = shape_of_data(*n);
  const size_t rank = n->input(0).shape().size();
  const Shape axes = sorted_axes(*n, n->shape().size());
  Node* copy = rw.copy(n, n->inputs());
  std::vector<Value> dims;
  if (rank > 0) {
    const Value axis = rw.index(0);
    Node* parts = rw.make("Split", {shape, axis}, attributes({{"num_splits", static_cast<int64_t>(rank)}}));
    for (int i = 0; i < parts->output_count(); ++i) dims.push_back(parts->value(i));
  }
  for (int64_t axis : axes) dims.insert(dims.begin() + axis, integers(rw, shape.type(), {1}));
  resolve(rw, n->value(), copy->value(), joined(rw, dims), n->name);
}

namespace {

// The largest shape that a computed target can have: the target evaluated on the largest shapes.
Shape largest(const Node& n, Value target) {
  const auto known = known_value(target);
  if (!known) refuse(n, "cannot evaluate its target shape");
  return known->to_i64();
}

// A node of a type whose shape nothing can infer.
Node* make_sized(Rewriter& rw, std::string type, std::vector<Value> inputs, Attributes attrs, Shape shape) {
  Node* n = rw.graph().add(std::move(type), std::move(inputs));
  n->attrs = std::move(attrs);
  rw.graph().set_outputs(n, {{n->input(0).type(), std::move(shape)}});
  return n;
}

}  // namespace

void reshape(Rewriter& rw, Node* n) {
  const Value shape = shape_of_data(*n);
  const bool special_zero = n->attrs.flag("special_zero");
  Node* copy = constant_of(n->input(1)) ? rw.copy(n, n->inputs()) : nullptr;
  if (!copy) {
    Shape target = largest(*n, n->input(1));
    const int64_t elements = element_count(n->input(0).shape());
    for (size_t i = 0; i < target.size(); ++i)
      if (target[i] == 0 && special_zero && i < n->input(0).shape().size()) target[i] = n->input(0).shape()[i];
    const int64_t rest = -product(target);
    if (rest > 0 && elements % rest == 0) std::ranges::replace(target, int64_t{-1}, elements / rest);
    if (!is_static(target) || element_count(target) != elements) refuse(*n, "cannot evaluate its target shape");
    copy = make_sized(rw, "StaticShapeReshape", n->inputs(), n->attrs, target);
  }
  Node* result = rw.make("OutShapeOfReshape", {shape, n->input(1)}, attributes({{"special_zero", special_zero}}));
  resolve(rw, n->value(), copy->value(), result->value(), n->name);
}

namespace {

// Dimensions of both shapes from the last to the first: the larger one of each pair.
Value joint_shape(Rewriter& rw, const Node& n, Value target) {
  const ElementType type = target.type();
  const Value data = shape_or_constant(rw, n, n.input(0), type);
  const int64_t data_rank = data.shape()[0], target_rank = target.shape()[0], rank = std::max(data_rank, target_rank);
  const auto dim = [&](Value shape, int64_t at) {
    const Value axis = rw.indices({0}), index = rw.indices({at});
    return rw.make("Gather", {shape, index, axis}, {}, 1)->value();
  };
  std::vector<Value> dims;
  for (int64_t i = 0; i < rank; ++i) {
    const int64_t in_data = i - (rank - data_rank), in_target = i - (rank - target_rank);
    if (in_data < 0)
      dims.push_back(dim(target, in_target));
    else if (in_target < 0)
      dims.push_back(dim(data, in_data));
    else {
      const Value a = dim(data, in_data), b = dim(target, in_target);
      dims.push_back(rw.make("Maximum", {a, b})->value());
    }
  }
  return joined(rw, dims);
}

}  // namespace

void broadcast(Rewriter& rw, Node* n) {
  const std::string mode = n->attrs.text("mode", "numpy");
  const Value target = n->input(1);
  Shape shape = largest(*n, target);
  if (mode == "bidirectional") {
    const Shape& data = n->input(0).shape();
    if (data.size() > shape.size()) shape.insert(shape.begin(), data.size() - shape.size(), 1);
    for (size_t i = 1; i <= data.size(); ++i)
      shape[shape.size() - i] = std::max(shape[shape.size() - i], data[data.size() - i]);
  }
  Node* copy = make_sized(rw, "StaticShapeBroadcast", n->inputs(), attributes({{"mode", mode}}), shape);
  resolve(rw, n->value(), copy->value(), mode == "bidirectional" ? joint_shape(rw, *n, target) : target, n->name);
}

}  // namespace blobsmith::transforms::dynamic
