// Reductions, largest elements, running sums.
#include <algorithm>

#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

std::vector<int64_t> reduced_axes(Context& c) {
  std::vector<int64_t> axes = c.integers_of(1, "list of axes");
  for (int64_t& a : axes) a = c.axis(a, c.rank());
  std::ranges::sort(axes);
  return axes;
}

std::vector<Value> reduce(Context& c) {
  const std::vector<int64_t> axes = reduced_axes(c);
  if (axes.empty()) return {c.input(0)};
  return {c.make(c.becomes(), {c.input(0), c.named_integers(axes, c.constant_name(1))},
                 attributes({{"keep_dims", c.node().flag("keep_dims", false)}}))};
}

std::vector<Value> extreme_index(Context& c) {
  const int64_t axis = c.axis(c.input_count() > 1 ? c.integer_of(1, "dimension") : 0, c.rank());
  const Tensor one_element = Tensor::of(ElementType::i32, {}, std::vector<int32_t>{1});
  const Value one = c.graph().constant(one_element, c.name() + "/TopK")->value();
  Node* top = c.make("TopK", {c.input(0), one},
                     attributes({{"axis", axis},
                                 {"mode", std::string(c.node().op == "ArgMin" ? "min" : "max")},
                                 {"sort", std::string("index")},
                                 {"index_element_type", std::string("i32")}}),
                     3, "/TopK_")
                  .node;
  return {c.make("Squeeze", {top->value(1), c.integers_constant({axis}, "/Squeeze/value")}, {}, Context::kNewest,
                 "/Squeeze")};
}

std::vector<Value> top_k(Context& c) {
  const Value k = c.input_count() > 1 ? c.scalar(c.input(1)) : c.integer_constant(c.node().integer("k", 1));
  Node* top = c.make("TopK", {c.input(0), k},
                     attributes({{"axis", c.rank() - 1},
                                 {"mode", std::string("max")},
                                 {"sort", std::string("value")},
                                 {"index_element_type", std::string("i32")}}),
                     3)
                  .node;
  return {top->value(0), top->value(1)};
}

std::vector<Value> running_sum(Context& c) {
  return {c.make(
      "CumSum", {c.input(0), c.integer_constant(c.axis(c.integer_of(1, "axis"), c.rank()))},
      attributes({{"exclusive", c.node().flag("exclusive", false)}, {"reverse", c.node().flag("reverse", false)}}))};
}

constexpr OperatorRow kOperators[] = {
    {"Max", "ReduceMax", reduce},
    {"Min", "ReduceMin", reduce},
    {"Mean", "ReduceMean", reduce},
    {"Sum", "ReduceSum", reduce},
    {"Prod", "ReduceProd", reduce},
    {"EuclideanNorm", "ReduceL2", reduce},
    {"All", "ReduceLogicalAnd", reduce},
    {"Any", "ReduceLogicalOr", reduce},
    {"ArgMax", "TopK", extreme_index},
    {"ArgMin", "TopK", extreme_index},
    {"TopK", "TopK", top_k},
    {"TopKV2", "TopK", top_k},
    {"Cumsum", "CumSum", running_sum},
};

}  // namespace

std::span<const OperatorRow> reduction_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
