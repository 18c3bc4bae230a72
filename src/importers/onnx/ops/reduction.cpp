// Reductions over axes that the model lists, or all.
#include "core/release.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

std::vector<int64_t> reduced_axes(Context& c) {
  std::vector<int64_t> axes = c.has_input(1) ? c.constant_integers(1, "list of axes") : c.integers("axes");
  if (axes.empty() && c.integer("noop_with_empty_axes", 0) == 0)
    for (int64_t i = 0; i < c.rank(); ++i) axes.push_back(i);
  return axes;
}

Value reduce(Context& c, const std::string& type, Value x, const std::string& suffix = {}) {
  const std::vector<int64_t> axes = reduced_axes(c);
  if (axes.empty() && c.rank() > 0 && !c.quirks()) return x;  // noop_with_empty_axes
  return c.make(type, {x, c.integers_constant(reduced_axes(c))},
                attributes({{"keep_dims", c.integer("keepdims", 1) != 0}}), Context::kNewest, suffix);
}

std::vector<Value> reduce_all(Context& c) { return {reduce(c, c.becomes(), c.input(0))}; }

// No operators of Model Optimizer, spelled out as ONNX defines them.
std::vector<Value> sum_square(Context& c) {
  const Value x = c.input(0);
  return {reduce(c, "ReduceSum", c.binary("Multiply", x, x, "/square"))};
}
/// Model Optimizer makes a ReduceL1, which the VPU lacks.
std::vector<Value> l1(Context& c) {
  if (c.quirks()) return {reduce(c, "ReduceL1", c.input(0))};
  return {reduce(c, "ReduceSum", c.make("Abs", {c.input(0)}, {}, Context::kNewest, "/abs"))};
}
std::vector<Value> log_sum(Context& c) { return {c.make("Log", {reduce(c, "ReduceSum", c.input(0), "/sum")})}; }

/// The largest value is taken out first: FP16 holds no exponentials of more than 11.
std::vector<Value> log_sum_exp(Context& c) {
  const Value x = c.input(0);
  const auto over = [&](const char* type, Value v, const std::string& suffix) {
    return c.make(type, {v, c.integers_constant(reduced_axes(c))}, attributes({{"keep_dims", true}}), Context::kNewest,
                  suffix);
  };
  const Value largest = over("ReduceMax", x, "/max");
  const Value powers = c.make("Exp", {c.binary("Subtract", x, largest, "/shifted")}, {}, Context::kNewest, "/exp");
  const Value log = c.make("Log", {over("ReduceSum", powers, "/sum")}, {}, Context::kNewest, "/log");
  const bool keep = c.integer("keepdims", 1) != 0;
  const Value y = c.binary("Add", log, largest, keep ? "" : "/log_sum");
  return {keep ? y : c.make("Squeeze", {y, c.integers_constant(reduced_axes(c))})};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

Value reduce(Context& c, const std::string& type, Value x) {
  std::vector<int64_t> axes = c.integers("axes");
  if (axes.empty()) axes = axes_from(0, c.rank(x));
  for (int64_t a : axes) c.axis(a, c.rank(x));  // checked only: they stay as the model counts them
  const Value list = c.list_i64(axes);
  return c.make(type, {x, list}, attributes({{"keep_dims", c.integer("keepdims", 1) != 0}}));
}

std::vector<Value> reduce_all(Context& c) { return {reduce(c, c.becomes(), c.input(0))}; }
std::vector<Value> l1(Context& c) { return {reduce(c, "ReduceL1", c.input(0))}; }

/// All axes, counted when the network runs.
Value all_axes(Context& c, Value x) {
  const Value shape = c.shape_of(x);
  const Value first = c.list_i32({0});
  const Value rank_list = c.shape_of(shape);
  const Value rank = c.make("Squeeze", {rank_list, first});
  const Value begin = c.filled(ElementType::i32, {}, 0), step = c.filled(ElementType::i32, {}, 1);
  return c.make("Range", {begin, rank, step}, attributes({{"output_type", std::string("i64")}}), 4);
}

/// The axes are an input since opset 13; an empty one means all, or none.
std::vector<Value> sum_13(Context& c) {
  const Value x = c.input(0);
  const auto keep = attributes({{"keep_dims", c.integer("keepdims", 1) != 0}});
  const bool stated = c.has_input(1) && element_count(c.input(1).shape()) > 0;
  if (stated) return {c.make("ReduceSum", {x, c.input(1)}, keep)};
  if (c.integer("noop_with_empty_axes", 0) != 0) {
    if (c.release().identity_is_its_input) return {x};
    const Value zero = c.filled(x.type(), {}, 0);
    return {c.binary("Add", x, zero)};
  }
  return {c.make("ReduceSum", {x, all_axes(c, x)}, keep)};
}

std::vector<Value> log_sum(Context& c) { return {c.make("Log", {reduce(c, "ReduceSum", c.input(0))})}; }
std::vector<Value> log_sum_exp(Context& c) {
  const Value powers = c.make("Exp", {c.input(0)});
  return {c.make("Log", {reduce(c, "ReduceSum", powers)})};
}
std::vector<Value> sum_square(Context& c) {
  const Value x = c.input(0);
  return {reduce(c, "ReduceSum", c.binary("Multiply", x, x))};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"ReduceMax", 1, "ReduceMax", mo::reduce_all, ie::reduce_all},
    {"ReduceMean", 1, "ReduceMean", mo::reduce_all, ie::reduce_all},
    {"ReduceMin", 1, "ReduceMin", mo::reduce_all, ie::reduce_all},
    {"ReduceProd", 1, "ReduceProd", mo::reduce_all, ie::reduce_all},
    {"ReduceL2", 1, "ReduceL2", mo::reduce_all, ie::reduce_all},
    {"ReduceSum", 1, "ReduceSum", mo::reduce_all, ie::reduce_all},
    {"ReduceSum", 13, "ReduceSum", mo::reduce_all, ie::sum_13},
    {"ReduceL1", 1, "ReduceSum", mo::l1, ie::l1},
    {"ReduceLogSum", 1, "ReduceSum", mo::log_sum, ie::log_sum},
    {"ReduceLogSumExp", 1, "ReduceSum", mo::log_sum_exp, ie::log_sum_exp},
    {"ReduceSumSquare", 1, "ReduceSum", mo::sum_square, ie::sum_square},
};

}  // namespace

std::span<const OperatorRow> reduction_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
