// Real shapes of gathering, joining and splitting tensors of unknown shape (front-end spec §5.7).
#include <algorithm>

#include "transforms/dynamic/shapes.hpp"

namespace blobsmith::transforms::dynamic {
namespace {

int64_t rank_of(Value v) { return static_cast<int64_t>(v.shape().size()); }

int64_t constant_axis(const Node& n, int input) {
  const std::vector<int64_t> axis = constant_integers(n, input);
  if (axis.size() != 1)
    refuse(n, "failed: axis node is represented as " + std::to_string(axis.size()) + " values while 1 is expected");
  return static_cast<int64_t>(axis_from_front(axis[0], n.input(0).shape().size()));
}

// The dimensions before and behind an axis.
struct Around {
  std::vector<Value> before, behind;
};
Around around(Rewriter& rw, Value shape, int64_t axis, int64_t rank) {
  Around a;
  if (axis > 0) a.before.push_back(part(rw, shape, 0, axis));
  if (axis + 1 < rank) a.behind.push_back(part(rw, shape, axis + 1, rank - axis - 1));
  return a;
}

}  // namespace

void gather(Rewriter& rw, Node* n) {
  const int64_t axis = constant_axis(*n, 2), rank = rank_of(n->input(0));
  const ElementType type = shape_type(*n, {0, 1});
  const Value data = shape_or_constant(rw, *n, n->input(0), type);
  const Value indices = shape_or_constant(rw, *n, n->input(1), type);
  Node* copy = rw.copy(n, n->inputs());
  std::vector<Value> dims;
  if (axis > 0) dims.push_back(part(rw, data, 0, axis));
  if (rank_of(n->input(1)) > 0) dims.push_back(indices);
  if (axis + 1 < rank) dims.push_back(part(rw, data, axis + 1, rank - axis - 1));
  resolve(rw, n->value(), copy->value(), joined(rw, dims), n->name);
}

void gather_elements(Rewriter& rw, Node* n) {
  const Value shape = shape_of(n->input(1));
  if (!shape) refuse(*n, "expects DynamicShapeResolver ver. 0 as input with index 1");
  resolve_copy(rw, n, shape);
}

void gather_nd(Rewriter& rw, Node* n) {
  const ElementType type = shape_type(*n, {0, 1});
  const Value data = shape_or_constant(rw, *n, n->input(0), type);
  const Value indices = shape_or_constant(rw, *n, n->input(1), type);
  const int64_t data_rank = rank_of(n->input(0)), rank = rank_of(n->input(1)),
                batch = n->attrs.integer("batch_dims", 0), last = n->input(1).shape().back();
  if (batch < 0 || batch >= std::min(data_rank, rank))
    refuse(*n, "has unsupported batch_dims " + std::to_string(batch));
  if (last < 0) refuse(*n, "expects a static last dimension of the indices");
  Value shape;
  if (batch > 0) {
    const Value axis = rw.index(0), dims = part(rw, indices, 0, batch);
    shape = rw.make("ReduceProd", {dims, axis}, attributes({{"keep_dims", true}}))->value();
  }
  const auto append = [&](Value more) { shape = shape ? joined(rw, {shape, more}) : more; };
  if (rank - batch - 1 > 0) append(part(rw, indices, batch, rank - batch - 1));
  if (batch + last < data_rank) append(part(rw, data, last + batch, data_rank - batch - last));
  if (!shape) refuse(*n, "has empty output shape");
  resolve_copy(rw, n, shape);
}

void roi_align(Rewriter& rw, Node* n) {
  const Value data_shape = shape_of(n->input(0)), count_shape = shape_of(n->input(2));
  if (!data_shape && !count_shape) refuse(*n, "expects at least one DSR as input");
  const ElementType type = (data_shape ? data_shape : count_shape).type();
  const Value data = shape_or_constant(rw, *n, n->input(0), type);
  const Value count = shape_or_constant(rw, *n, n->input(2), type);
  const Value index = rw.indices({1}), axis = rw.indices({0});
  const Value channels = rw.make("Gather", {data, index, axis}, {}, 1)->value();
  const Value height = integers(rw, type, {n->attrs.integer("pooled_h")}),
              width = integers(rw, type, {n->attrs.integer("pooled_w")});
  resolve_copy(rw, n, joined(rw, {count, channels, height, width}));
}

// Shapes are added up, those of other axes divided by their number again; constants cover the static inputs.
// quirk: static inputs count in the divisor though their shapes were not added.
void concat(Rewriter& rw, Node* n) {
  std::vector<Value> shapes;
  int64_t static_length = 0, static_inputs = 0;
  const size_t rank = n->shape().size(), axis = axis_from_front(n->attrs.integer("axis"), rank);
  for (const Value& v : n->inputs()) {
    if (const Value shape = shape_of(v)) {
      shapes.push_back(shape);
      continue;
    }
    if (!is_static(v.shape())) refuse(*n, "expects static shape on inputs without DSR");
    static_length += v.shape()[axis];
    ++static_inputs;
  }
  if (shapes.empty()) refuse(*n, "expects at least one DynamicShapeResolver as input");
  const ElementType type = shapes[0].type();
  for (const Value& s : shapes)
    if (s.type() != type)
      refuse(*n, "expects input shape with " + std::string(to_string(type)) + " type, provided " +
                     std::string(to_string(s.type())));
  Value sum = shapes[0];
  for (size_t i = 1; i < shapes.size(); ++i) sum = rw.make("Add", {sum, shapes[i]})->value();
  if (shapes.size() > 1) {
    std::vector<int64_t> divisors(rank,
                                  n->attrs.flag(kExactShape) ? static_cast<int64_t>(shapes.size()) : n->input_count());
    divisors[axis] = 1;
    const Value by = integers(rw, type, divisors);
    sum = rw.make("Divide", {sum, by})->value();
  }
  if (static_inputs > 0) {
    std::vector<int64_t> lengths(rank, 0);
    lengths[axis] = static_length;
    const Value more = integers(rw, type, lengths);
    sum = rw.make("Add", {sum, more})->value();
  }
  resolve_copy(rw, n, sum);
}

void split(Rewriter& rw, Node* n) {
  const Value shape = shape_of_data(*n);
  const ElementType type = shape.type();
  const Value axis = integers(rw, type, {constant_axis(*n, 1)});
  const Value front = integers(rw, type, {0});
  const Value whole = rw.make("Gather", {shape, axis, front}, {}, 1)->value();
  const Value count = integers(rw, type, {n->attrs.integer("num_splits")});
  const Value length = rw.make("Divide", {whole, count})->value();
  const Value at_front = integers(rw, type, {0});
  const Value result = rw.make("ScatterElementsUpdate", {shape, axis, length, at_front})->value();
  Node* copy = rw.copy(n, n->inputs());
  for (int i = 0; i < n->output_count(); ++i)
    resolve(rw, n->value(i), copy->value(i), result, n->name + "." + std::to_string(i));
}

void variadic_split(Rewriter& rw, Node* n) {
  const Value shape = shape_of_data(*n);
  const int64_t axis = constant_axis(*n, 1);
  const std::vector<int64_t> lengths = constant_integers(*n, 2);
  if (std::ranges::any_of(lengths, [](int64_t l) { return l <= 0; }))
    refuse(*n, "is not applicable, split_length with -1 or 0 is not supported");
  Node* copy = rw.copy(n, n->inputs());
  const Around others = around(rw, shape, axis, rank_of(n->input(0)));
  for (int i = 0; i < n->output_count(); ++i) {
    std::vector<Value> dims = others.before;
    dims.push_back(integers(rw, shape.type(), {lengths.at(static_cast<size_t>(i))}));
    dims.insert(dims.end(), others.behind.begin(), others.behind.end());
    const Value result = dims.size() == 1 ? dims[0] : joined(rw, dims);
    resolve(rw, n->value(i), copy->value(i), result, n->name + "." + std::to_string(i));
  }
}

void top_k(Rewriter& rw, Node* n) {
  const Value shape = shape_of_data(*n);
  const int64_t rank = rank_of(n->input(0)),
                axis = static_cast<int64_t>(axis_from_front(n->attrs.integer("axis"), static_cast<size_t>(rank)));
  if (!constant_of(n->input(1))) throw not_yet_supported(*n, "TopK of a computed number on data of unknown shape");
  const Around others = around(rw, shape, axis, rank);
  Value k = n->input(1);
  if (k.type() != shape.type())
    k = rw.make("Convert", {k}, attributes({{"destination_type", std::string(to_string(shape.type()))}}))->value();
  const Value front = rw.indices({0});
  std::vector<Value> dims = others.before;
  dims.push_back(rw.make("Unsqueeze", {k, front})->value());
  dims.insert(dims.end(), others.behind.begin(), others.behind.end());
  const Value result = dims.size() == 1 ? dims[0] : joined(rw, dims);
  Node* copy = rw.copy(n, n->inputs());
  for (int i = 0; i < 2; ++i) resolve(rw, n->value(i), copy->value(i), result, n->name + "." + std::to_string(i));
}

}  // namespace blobsmith::transforms::dynamic
