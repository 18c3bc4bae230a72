// Reductions, sorting, cumulative sums.
#include "importers/onnx/mapper.hpp"

namespace blobsmith::onnx_import {
namespace {

std::vector<int64_t> reduced_axes(Context& c) {
  std::vector<int64_t> axes = c.has_input(1) ? c.constant_integers(1, "list of axes") : c.integers("axes");
  if (axes.empty() && c.integer("noop_with_empty_axes", 0) == 0)
    for (int64_t i = 0; i < c.rank(); ++i) axes.push_back(i);
  return axes;
}

Value reduce(Context& c, const char* type, Value x, const std::string& suffix = {}) {
  return c.make(type, {x, c.integers_constant(reduced_axes(c))},
                attributes({{"keep_dims", c.integer("keepdims", 1) != 0}}), Context::kNewest, suffix);
}

template <const char* kType>
std::vector<Value> map_reduce(Context& c) {
  return {reduce(c, kType, c.input(0))};
}

// No operators of Model Optimizer, spelled out as ONNX defines them.
std::vector<Value> map_reduce_sum_square(Context& c) {
  const Value x = c.input(0);
  return {reduce(c, "ReduceSum", c.binary("Multiply", x, x, "/square"))};
}
/// Model Optimizer makes a ReduceL1, which the VPU lacks.
std::vector<Value> map_reduce_l1(Context& c) {
  if (c.quirks()) return {reduce(c, "ReduceL1", c.input(0))};
  return {reduce(c, "ReduceSum", c.make("Abs", {c.input(0)}, {}, Context::kNewest, "/abs"))};
}
std::vector<Value> map_reduce_log_sum(Context& c) {
  return {c.make("Log", {reduce(c, "ReduceSum", c.input(0), "/sum")})};
}

/// The largest value is taken out first: FP16 holds no exponentials of more than 11.
std::vector<Value> map_reduce_log_sum_exp(Context& c) {
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

/// The position of the largest or smallest value: TopK of one, sorted by index.
std::vector<Value> arg(Context& c, const char* mode) {
  const int64_t axis = c.axis(c.integer("axis", 0), c.rank());
  if (c.integer("select_last_index", 0) != 0) c.refuse("select_last_index is not supported");
  const Attributes a = attributes({{"axis", axis},
                                   {"mode", std::string(mode)},
                                   {"sort", std::string("index")},
                                   {"index_element_type", std::string("i64")}});
  Node* top = c.make("TopK", {c.input(0), c.integer_constant(1, "/TopK1")}, a, 3, "/TopK").node;
  if (c.integer("keepdims", 1) != 0) return {top->value(1)};
  return {c.make("Squeeze", {top->value(1), c.integers_constant({axis})})};
}
std::vector<Value> map_arg_max(Context& c) { return arg(c, "max"); }
std::vector<Value> map_arg_min(Context& c) { return arg(c, "min"); }

std::vector<Value> map_top_k(Context& c) {
  const Value k = c.opset() < 10 ? c.integer_constant(c.integer("k", 1)) : c.scalar(c.input(1));
  const Attributes a = attributes({{"axis", c.axis(c.integer("axis", -1), c.rank())},
                                   {"mode", std::string(c.integer("largest", 1) ? "max" : "min")},
                                   {"sort", std::string(c.integer("sorted", 1) ? "value" : "none")},
                                   {"index_element_type", std::string("i64")}});
  Node* top = c.make("TopK", {c.input(0), k}, a, 3).node;
  return {top->value(0), top->value(1)};
}

std::vector<Value> map_cum_sum(Context& c) {
  return {
      c.make("CumSum", {c.input(0), c.scalar(c.input(1))},
             attributes({{"exclusive", c.integer("exclusive", 0) != 0}, {"reverse", c.integer("reverse", 0) != 0}}))};
}

constexpr char kL2[] = "ReduceL2", kMax[] = "ReduceMax", kMean[] = "ReduceMean", kMin[] = "ReduceMin",
               kProd[] = "ReduceProd", kSum[] = "ReduceSum";

constexpr Mapper kMappers[] = {{"ReduceL1", map_reduce_l1},
                               {"ReduceL2", map_reduce<kL2>},
                               {"ReduceMax", map_reduce<kMax>},
                               {"ReduceMean", map_reduce<kMean>},
                               {"ReduceMin", map_reduce<kMin>},
                               {"ReduceProd", map_reduce<kProd>},
                               {"ReduceSum", map_reduce<kSum>},
                               {"ReduceSumSquare", map_reduce_sum_square},
                               {"ReduceLogSum", map_reduce_log_sum},
                               {"ReduceLogSumExp", map_reduce_log_sum_exp},
                               {"ArgMax", map_arg_max},
                               {"ArgMin", map_arg_min},
                               {"TopK", map_top_k},
                               {"CumSum", map_cum_sum}};

}  // namespace

std::span<const Mapper> reduction_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
