// Reductions over axes that an attribute lists, or all.
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

Value reduce(Recipe& r, const std::string& type, Value x) {
  std::vector<int64_t> axes = r.integers("axes");
  if (axes.empty()) axes = axes_from(0, r.rank(x));
  for (int64_t a : axes) r.axis(a, r.rank(x));  // checked only: they stay as the model counts them
  const Value list = r.list_i64(axes);
  return r.make(type, {x, list}, attributes({{"keep_dims", r.integer("keepdims", 1) != 0}}));
}

std::vector<Value> plain(Recipe& r) { return {reduce(r, r.becomes(), r.input(0))}; }

/// All axes, counted when the network runs.
Value all_axes(Recipe& r, Value x) {
  const Value shape = r.shape_of(x);
  const Value first = r.list_i32({0});
  const Value rank_list = r.shape_of(shape);
  const Value rank = r.make("Squeeze", {rank_list, first});
  const Value begin = r.filled(ElementType::i32, {}, 0), step = r.filled(ElementType::i32, {}, 1);
  return r.make("Range", {begin, rank, step}, attributes({{"output_type", std::string("i64")}}), 4);
}

/// The axes are an input since opset 13; an empty one means all, or none.
std::vector<Value> sum_13(Recipe& r) {
  const Value x = r.input(0);
  const auto keep = attributes({{"keep_dims", r.integer("keepdims", 1) != 0}});
  const bool stated = r.has_input(1) && element_count(r.input(1).shape()) > 0;
  if (stated) return {r.make("ReduceSum", {x, r.input(1)}, keep)};
  if (r.integer("noop_with_empty_axes", 0) != 0) {
    const Value zero = r.filled(x.type(), {}, 0);
    return {r.binary("Add", x, zero)};
  }
  return {r.make("ReduceSum", {x, all_axes(r, x)}, keep)};
}

std::vector<Value> log_sum(Recipe& r) { return {r.make("Log", {reduce(r, "ReduceSum", r.input(0))})}; }
std::vector<Value> log_sum_exp(Recipe& r) {
  const Value powers = r.make("Exp", {r.input(0)});
  return {r.make("Log", {reduce(r, "ReduceSum", powers)})};
}
std::vector<Value> sum_square(Recipe& r) {
  const Value x = r.input(0);
  return {reduce(r, "ReduceSum", r.binary("Multiply", x, x))};
}

constexpr Row kRows[] = {
    {"ReduceSum", 1, plain, "ReduceSum"},   {"ReduceSum", 13, sum_13},
    {"ReduceMean", 1, plain, "ReduceMean"}, {"ReduceMax", 1, plain, "ReduceMax"},
    {"ReduceMin", 1, plain, "ReduceMin"},   {"ReduceProd", 1, plain, "ReduceProd"},
    {"ReduceL1", 1, plain, "ReduceL1"},     {"ReduceL2", 1, plain, "ReduceL2"},
    {"ReduceLogSum", 1, log_sum},           {"ReduceLogSumExp", 1, log_sum_exp},
    {"ReduceSumSquare", 1, sum_square},
};

}  // namespace

std::span<const Row> reduction_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
