// Softmax and its relatives. Before opset 13 they work on two axes: what is before `axis`, and the rest.
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

std::vector<Value> on_axis(Recipe& r, int64_t fallback) {
  const Value x = r.input(0);
  return {r.make(r.becomes(), {x}, attributes({{"axis", r.axis(r.integer("axis", fallback), r.rank(x))}}))};
}
std::vector<Value> softmax_11(Recipe& r) { return on_axis(r, 1); }
std::vector<Value> softmax_13(Recipe& r) { return on_axis(r, -1); }

std::vector<Value> flattened(Recipe& r, Value x) {
  const Value flat = flatten(r, x, r.integer("axis", 1));
  const Value y = r.make(r.becomes(), {flat}, attributes({{"axis", int64_t{1}}}));
  const Value shape = r.shape_of(x);
  return {r.reshape(y, shape, false)};
}

std::vector<Value> softmax_1(Recipe& r) {
  const Value x = r.input(0);
  if (r.rank(x) == 0) return {r.filled(x.type(), {}, 1)};
  if (r.rank(x) == 1) return {r.make(r.becomes(), {x}, attributes({{"axis", int64_t{0}}}))};
  return flattened(r, x);
}

std::vector<Value> log_softmax_1(Recipe& r) {
  const Value x = r.input(0);
  if (r.rank(x) == 0) return {r.filled(x.type(), {}, 1)};
  if (r.rank(x) == 1) return {r.make(r.becomes(), {x}, attributes({{"axis", int64_t{0}}}))};
  return flattened(r, x);
}

/// One at the place of the largest value along an axis.
Value one_hot_of_largest(Recipe& r, Value x, int64_t axis) {
  const auto length = [&] {
    const Value shape = r.shape_of(x);
    const Value zero = r.scalar_i64(0), index = r.list_i64({axis});
    const Value row = r.gather(shape, index, zero);
    const Value first = r.list_i64({0});
    return r.make("Squeeze", {row, first});
  };
  const Value depth = length();
  const Value k = r.scalar_i64(1);
  const Value top = top_k(r, x, k, axis, "max", "none", "i32");
  const Value on = r.scalar_i64(1), off = r.scalar_i64(0);
  const Value marked = r.make("OneHot", {{top.node, 1}, depth, on, off}, attributes({{"axis", axis}}));
  r.skip_ids(1);
  return r.convert(marked, x.type());
}

std::vector<Value> hardmax(Recipe& r, bool flat) {
  const Value x = r.input(0);
  const int64_t axis = r.axis(r.integer("axis", flat ? 1 : -1), r.rank(x));
  const Value rows = flat ? flatten(r, x, axis) : x;
  const Value marks = one_hot_of_largest(r, rows, flat ? 1 : axis);
  const Value shape = r.shape_of(x);
  return {r.reshape(marks, shape, false)};
}
std::vector<Value> hardmax_1(Recipe& r) { return hardmax(r, true); }
std::vector<Value> hardmax_13(Recipe& r) { return hardmax(r, false); }

constexpr Row kRows[] = {
    {"Softmax", 1, softmax_1, "Softmax"},
    {"Softmax", 11, softmax_11, "Softmax"},
    {"Softmax", 13, softmax_13, "Softmax"},
    {"LogSoftmax", 1, log_softmax_1, "LogSoftmax"},
    {"LogSoftmax", 13, softmax_13, "LogSoftmax"},
    {"Hardmax", 1, hardmax_1},
    {"Hardmax", 13, hardmax_13},
};

}  // namespace

std::span<const Row> softmax_recipes() { return kRows; }

Value flatten(Recipe& r, Value x, int64_t axis) {
  const int64_t rank = r.rank(x);
  if (axis < -rank || axis > rank)
    r.refuse("Parameter axis " + std::to_string(axis) + " out of the tensor rank range [-" + std::to_string(rank) +
             ", " + std::to_string(rank) + "].");
  if (axis < 0) axis += rank;
  if (axis == 0) return r.reshape(x, r.list_i64({1, -1}), true);
  if (axis == 1) return r.reshape(x, r.list_i64({0, -1}), true);
  const Value shape = r.make("ShapeOf", {x}, {}, 0);  // quirk: of the first opset
  r.skip_ids(1);
  const Value end = r.list_i64({axis}), begin = r.list_i64({0}), step = r.list_i64({1});
  const std::vector<int64_t> none;
  const Value dims = r.make("StridedSlice", {shape, begin, end, step},
                            attributes({{"begin_mask", none},
                                        {"end_mask", none},
                                        {"new_axis_mask", none},
                                        {"shrink_axis_mask", none},
                                        {"ellipsis_mask", none}}));
  const Value first = r.scalar_i64(0);
  const Value product = r.make("ReduceProd", {dims, first}, attributes({{"keep_dims", true}}));
  const Value rest = r.list_i64({-1});
  return r.reshape(x, r.concat({product, rest}, 0), true);
}

}  // namespace blobsmith::onnx_native
