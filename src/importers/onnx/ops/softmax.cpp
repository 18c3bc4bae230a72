// Softmax and its relatives. Before opset 13 they work on two axes: what is before `axis`, and the rest.
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

/// Flattened at the axis, as operators before opset 13 mean it: the softmax of rows, then the shape restored.
/// quirk: Model Optimizer does so for later operators too, which mean the axis alone.
std::vector<Value> softmax(Context& c) {
  const Value x = c.input(0);
  const int64_t axis = c.integer("axis", c.opset() >= 13 ? -1 : 1);
  const int64_t from_front = c.axis(axis, c.rank());
  if (c.opset() >= 13 && from_front != c.rank() - 1 && !c.quirks()) {
    c.note("the softmax is taken over one axis, as the model says");
    return {c.make(c.becomes(), {x}, attributes({{"axis", from_front}}))};
  }
  const Value flat = c.flatten(x, axis, "/FlattenONNX_/Reshape");
  const Value y = c.make(c.becomes(), {flat}, attributes({{"axis", int64_t{1}}}), Context::kNewest, "/Softmax_");
  return {c.reshape_like(y, x)};
}

/// No operator of Model Optimizer: one at the first largest value of an axis (before opset 13, of all from it on),
/// zeros elsewhere.
std::vector<Value> hardmax(Context& c) {
  const Value given = c.input(0);
  const bool rows = c.opset() < 13;
  const int64_t stated = c.axis(c.integer("axis", rows ? 1 : -1), c.rank());
  const Value x = rows ? c.flatten(given, stated, "/FlattenONNX_/Reshape") : given;
  const int64_t axis = rows ? 1 : stated;
  const Attributes a = attributes({{"axis", axis},
                                   {"mode", std::string("max")},
                                   {"sort", std::string("index")},
                                   {"index_element_type", std::string("i64")}});
  Node* top = c.make("TopK", {x, c.integer_constant(1, "/TopK1")}, a, 3, "/TopK").node;
  const Value position =
      c.make("Squeeze", {top->value(1), c.integers_constant({axis})}, {}, Context::kNewest, "/Squeeze");
  const Value depth = c.integer_constant(x.shape()[static_cast<size_t>(axis)], "/depth");
  const Value y =
      c.make("OneHot", {position, depth, c.number_constant(x.type(), {}, 1), c.number_constant(x.type(), {}, 0)},
             attributes({{"axis", axis}}), Context::kNewest, rows ? "/OneHot" : "");
  return {rows ? c.reshape_like(y, given) : y};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

Value softmax_along(Context& c, Value x, int64_t axis) {
  const bool later = c.becomes() == "Softmax" && c.release().ir_opset >= 8;
  return c.make(c.becomes(), {x}, attributes({{"axis", axis}}), later ? 8 : Context::kNewest);
}

std::vector<Value> on_axis(Context& c, int64_t fallback) {
  const Value x = c.input(0);
  return {softmax_along(c, x, c.axis(c.integer("axis", fallback), c.rank(x)))};
}
/// quirk: opset 11 means all axes from the given one on.
std::vector<Value> softmax_11(Context& c) { return on_axis(c, 1); }
std::vector<Value> softmax_13(Context& c) { return on_axis(c, -1); }

std::vector<Value> flattened(Context& c, Value x) {
  const Value flat = flatten(c, x, c.integer("axis", 1));
  const Value y = softmax_along(c, flat, 1);
  const Value shape = c.shape_of(x);
  return {c.reshape(y, shape, false)};
}

std::vector<Value> softmax_1(Context& c) {
  const Value x = c.input(0);
  if (c.rank(x) == 0) return {c.filled(x.type(), {}, 1)};
  if (c.rank(x) == 1 && !c.release().softmax_of_lists_flattens)
    return {c.make(c.becomes(), {x}, attributes({{"axis", int64_t{0}}}))};
  return flattened(c, x);
}

std::vector<Value> log_softmax_1(Context& c) {
  const Value x = c.input(0);
  if (c.rank(x) == 0) return {c.filled(x.type(), {}, 1)};
  if (c.rank(x) == 1) return {c.make(c.becomes(), {x}, attributes({{"axis", int64_t{0}}}))};
  return flattened(c, x);
}

/// One at the place of the largest value along an axis.
Value one_hot_of_largest(Context& c, Value x, int64_t axis) {
  const auto length = [&] {
    const Value shape = c.shape_of(x);
    const Value zero = c.scalar_i64(0), index = c.list_i64({axis});
    const Value row = c.gather(shape, index, zero);
    const Value first = c.list_i64({0});
    return c.make("Squeeze", {row, first});
  };
  const Value depth = length();
  const Value k = c.scalar_i64(1);
  const Value top = top_k(c, x, k, axis, "max", "none", "i32");
  const Value on = c.scalar_i64(1), off = c.scalar_i64(0);
  const Value marked = c.make("OneHot", {{top.node, 1}, depth, on, off}, attributes({{"axis", axis}}));
  c.skip_ids(1);
  return c.convert(marked, x.type());
}

std::vector<Value> hardmax(Context& c, bool flat) {
  const Value x = c.input(0);
  const int64_t axis = c.axis(c.integer("axis", flat ? 1 : -1), c.rank(x));
  const Value rows = flat ? flatten(c, x, axis) : x;
  const Value marks = one_hot_of_largest(c, rows, flat ? 1 : axis);
  const Value shape = c.shape_of(x);
  return {c.reshape(marks, shape, false)};
}
std::vector<Value> hardmax_1(Context& c) { return hardmax(c, true); }
std::vector<Value> hardmax_13(Context& c) { return hardmax(c, false); }

}  // namespace

Value flatten(Context& c, Value x, int64_t axis) {
  const int64_t rank = c.rank(x);
  if (axis < -rank || axis > rank)
    c.refuse("Parameter axis " + std::to_string(axis) + " out of the tensor rank range [-" + std::to_string(rank) +
             ", " + std::to_string(rank) + "].");
  if (axis < 0) axis += rank;
  if (axis == 0) return c.reshape(x, c.list_i64({1, -1}), true);
  if (axis == 1) return c.reshape(x, c.list_i64({0, -1}), true);
  const Value shape = c.make("ShapeOf", {x}, {}, 0);  // quirk: of the first opset
  c.skip_ids(1);
  const Value end = c.list_i64({axis}), begin = c.list_i64({0}), step = c.list_i64({1});
  const std::vector<int64_t> none;
  const Value dims = c.make("StridedSlice", {shape, begin, end, step},
                            attributes({{"begin_mask", none},
                                        {"end_mask", none},
                                        {"new_axis_mask", none},
                                        {"shrink_axis_mask", none},
                                        {"ellipsis_mask", none}}));
  const Value first = c.scalar_i64(0);
  const Value product = c.make("ReduceProd", {dims, first}, attributes({{"keep_dims", true}}));
  const Value rest = c.list_i64({-1});
  return c.reshape(x, c.concat({product, rest}, 0), true);
}

}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"Softmax", 1, "Softmax", mo::softmax, ie::softmax_1},
    {"Softmax", 11, "Softmax", mo::softmax, ie::softmax_11},
    {"Softmax", 13, "Softmax", mo::softmax, ie::softmax_13},
    {"LogSoftmax", 1, "LogSoftmax", mo::softmax, ie::log_softmax_1},
    {"LogSoftmax", 13, "LogSoftmax", mo::softmax, ie::softmax_13},
    {"Hardmax", 1, "OneHot", mo::hardmax, ie::hardmax_1},
    {"Hardmax", 13, "OneHot", mo::hardmax, ie::hardmax_13},
};

}  // namespace

std::span<const OperatorRow> softmax_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
