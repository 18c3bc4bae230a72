// Arithmetic with tensors and with numbers, comparisons, reductions.
#include <algorithm>
#include <cmath>

#include "importers/mxnet/operators.hpp"

namespace blobsmith::mxnet {
namespace {

std::vector<Value> binary(Context& c) { return {c.binary(c.becomes(), c.input(0), c.input(1))}; }

/// Any number of operands: a numbered chain.
std::vector<Value> chain(Context& c) {
  Value v = c.input(0);
  for (size_t i = 1; i < c.input_count(); ++i) v = c.binary("Add", v, c.input(i), "/sum_" + std::to_string(i));
  return {v};
}

double scalar(const Context& c) { return c.real("scalar", 0); }

/// Factors and summands are one number each, which may be fused with others.
std::vector<Value> plus_scalar(Context& c) {
  return {c.linear("Add", c.input(0), std::vector<float>{static_cast<float>(scalar(c))}, 1, "/lin_")};
}
std::vector<Value> minus_scalar(Context& c) {
  return {c.linear("Add", c.input(0), std::vector<float>{static_cast<float>(-scalar(c))}, 1, "/lin_")};
}
std::vector<Value> times_scalar(Context& c) {
  return {c.linear("Multiply", c.input(0), std::vector<float>{static_cast<float>(scalar(c))}, 1, "/lin_")};
}
std::vector<Value> divided_by_scalar(Context& c) {
  if (scalar(c) == 0) c.refuse("it divides by 0");
  return {c.linear("Divide", c.input(0), std::vector<double>{scalar(c)}, 1, "/lin_")};
}

Value constant_of_scalar(Context& c) {
  if (!is_float(c.input(0).type())) return c.number_constant(c.input(0).type(), Shape(c.shape().size(), 1), scalar(c));
  return c.numbered_constant(
      Tensor::reals(c.input(0).type(), Shape(c.shape().size(), 1), std::vector<double>{scalar(c)}));
}
std::vector<Value> with_scalar(Context& c) { return {c.make(c.becomes(), {c.input(0), constant_of_scalar(c)})}; }
std::vector<Value> extreme_with_scalar(Context& c) {
  return {c.make(c.becomes(), {c.input(0), constant_of_scalar(c)}, {}, Context::kNewest, "/lin_")};
}
std::vector<Value> scalar_with(Context& c) { return {c.make(c.becomes(), {constant_of_scalar(c), c.input(0)})}; }

/// A comparison, as numbers 0 and 1.
Value as_numbers(Context& c, Value truth) {
  return c.make("Convert", {truth}, attributes({{"destination_type", std::string("f32")}}));
}
std::vector<Value> comparison(Context& c) {
  return {as_numbers(c, c.binary(c.becomes(), c.input(0), c.input(1), "/compare"))};
}
/// Nothing computes with it: it is asked whether, or is an output.
bool stays_truth(Context& c) {
  const std::string& key = c.op().outputs.at(0);
  return std::ranges::all_of(c.session().source.operators, [&](const importers::SourceOperator& op) {
    const auto first = std::ranges::find(op.inputs, key);
    return first == op.inputs.end() ||
           (op.type == "where" && first == op.inputs.begin() && std::ranges::count(op.inputs, key) == 1);
  });
}
std::vector<Value> comparison_with_scalar(Context& c) {
  const Value truth = c.make(c.becomes(), {c.input(0), constant_of_scalar(c)}, {}, Context::kNewest, "/lin_");
  return {stays_truth(c) ? truth : as_numbers(c, truth)};
}
std::vector<Value> logical_not(Context& c) { return {as_numbers(c, c.binary("Equal", c.input(0), 0, "/compare"))}; }

std::vector<Value> where(Context& c) {
  Value condition = c.input(0);
  if (condition.type() != ElementType::boolean)
    condition = c.make("Convert", {condition}, attributes({{"destination_type", std::string("boolean")}}),
                       Context::kNewest, "/condition");
  return {c.make("Select", {condition, c.input(1), c.input(2)})};
}

// ---- reductions ----

std::vector<int64_t> reduced_axes(const Context& c, std::vector<int64_t> given) {
  std::vector<int64_t> axes;
  for (const int64_t a : given) axes.push_back(static_cast<int64_t>(c.axis(a)));
  const bool others = c.flag("exclude", false);
  if (given.empty() || others) {
    const std::vector<int64_t> listed = axes;
    axes.clear();
    for (int64_t i = 0; i < c.rank(); ++i)
      if (given.empty() || std::ranges::find(listed, i) == listed.end()) axes.push_back(i);
  }
  std::ranges::sort(axes);
  return axes;
}

Value reduced(Context& c, const std::string& type, Value x, const std::string& suffix = {}) {
  return c.make(type, {x, c.integers_constant(reduced_axes(c, c.integers("axis")), suffix + "/axes")},
                attributes({{"keep_dims", c.flag("keepdims", false)}}), Context::kNewest, suffix);
}
std::vector<Value> reduction(Context& c) { return {reduced(c, c.becomes(), c.input(0))}; }

std::vector<Value> norm(Context& c) {
  const int64_t order = c.integer("ord", 2);
  if (order != 1 && order != 2) c.refuse("its ord is " + std::to_string(order));
  return {reduced(c, order == 1 ? "ReduceL1" : "ReduceL2", c.input(0))};
}

/// The place of the largest or smallest value along an axis.
std::vector<Value> arg_extreme(Context& c) {
  if (!c.has("axis")) c.refuse("it has no axis");
  const auto axis = static_cast<int64_t>(c.axis(c.integer("axis", 0)));
  const Value one = c.integer_constant(1, "/k");
  Node* top = c.make("TopK", {c.input(0), one},
                     attributes({{"axis", axis},
                                 {"mode", std::string(c.type() == "argmax" ? "max" : "min")},
                                 {"sort", std::string("value")},
                                 {"index_element_type", std::string("i32")}}),
                     3, "/TopK")
                  .node;
  Value place = top->value(1);
  const bool keep = c.flag("keepdims", false);
  if (!keep) place = c.make("Squeeze", {place, c.integers_constant({axis}, "/axis")}, {}, Context::kNewest, "/Squeeze");
  return {c.make("Convert", {place}, attributes({{"destination_type", std::string("f32")}}))};
}

std::vector<Value> top_k(Context& c) {
  const std::string kind = c.text("ret_typ", "indices");
  if (kind != "indices" && kind != "value" && kind != "both") c.refuse("its ret_typ is " + kind);
  const bool all = c.integer("k", 1) < 1;
  const auto axis = static_cast<int64_t>(c.axis(c.integer("axis", -1)));
  const int64_t k = all ? c.shape()[static_cast<size_t>(axis)] : c.integer("k", 1);
  Node* top = c.make("TopK", {c.input(0), c.integer_constant(k, "/k")},
                     attributes({{"axis", axis},
                                 {"mode", std::string(c.flag("is_ascend", false) ? "min" : "max")},
                                 {"sort", std::string("value")},
                                 {"index_element_type", std::string("i32")}}),
                     3, kind == "value" ? "" : "/TopK")
                  .node;
  if (kind == "value") return {top->value(0)};
  const Value places = c.make("Convert", {top->value(1)}, attributes({{"destination_type", std::string("f32")}}));
  return kind == "both" ? std::vector{top->value(0), places} : std::vector{places};
}

// ---- products ----

std::vector<Value> product(Context& c) {
  if (c.type() == "dot" && (c.rank(0) > 2 || c.rank(1) > 2))
    c.refuse("it multiplies tensors of more than two dimensions");
  return {c.make(
      "MatMul", {c.input(0), c.input(1)},
      attributes({{"transpose_a", c.flag("transpose_a", false)}, {"transpose_b", c.flag("transpose_b", false)}}))};
}

std::vector<Value> divided_by_root_of_size(Context& c) {
  const double size = static_cast<double>(c.shape().empty() ? 1 : c.shape().back());
  return {c.binary("Multiply", c.input(0), std::pow(size, -0.5))};
}

std::vector<Value> cumulative_sum(Context& c) {
  return {c.make("CumSum", {c.input(0), c.integer_constant(c.integer("axis", 0), "/axis")},
                 attributes({{"exclusive", false}, {"reverse", false}}))};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"ElementWiseSum", "Add", chain},
    {"_Div", "Divide", binary},
    {"_DivScalar", "Multiply", divided_by_scalar},
    {"_Equal", "Equal", comparison},
    {"_Greater", "Greater", comparison},
    {"_Maximum", "Maximum", binary},
    {"_Minimum", "Minimum", binary},
    {"_Minus", "Subtract", binary},
    {"_MinusScalar", "Add", minus_scalar},
    {"_Mul", "Multiply", binary},
    {"_MulScalar", "Multiply", times_scalar},
    {"_Plus", "Add", binary},
    {"_PlusScalar", "Add", plus_scalar},
    {"_Power", "Power", binary},
    {"_add", "Add", binary},
    {"_contrib_div_sqrt_dim", "Multiply", divided_by_root_of_size},
    {"_div_scalar", "Multiply", divided_by_scalar},
    {"_equal_scalar", "Equal", comparison_with_scalar},
    {"_greater_equal_scalar", "GreaterEqual", comparison_with_scalar},
    {"_greater_scalar", "Greater", comparison_with_scalar},
    {"_lesser_equal_scalar", "LessEqual", comparison_with_scalar},
    {"_lesser_scalar", "Less", comparison_with_scalar},
    {"_maximum", "Maximum", binary},
    {"_maximum_scalar", "Maximum", extreme_with_scalar},
    {"_minimum", "Minimum", binary},
    {"_minimum_scalar", "Minimum", extreme_with_scalar},
    {"_minus", "Subtract", binary},
    {"_minus_scalar", "Add", minus_scalar},
    {"_mul", "Multiply", binary},
    {"_mul_scalar", "Multiply", times_scalar},
    {"_not_equal_scalar", "NotEqual", comparison_with_scalar},
    {"_np_cumsum", "CumSum", cumulative_sum},
    {"_plus", "Add", binary},
    {"_plus_scalar", "Add", plus_scalar},
    {"_power", "Power", binary},
    {"_power_scalar", "Power", with_scalar},
    {"_rdiv_scalar", "Divide", scalar_with},
    {"_rminus_scalar", "Subtract", scalar_with},
    {"_rpower_scalar", "Power", scalar_with},
    {"_sub", "Subtract", binary},
    {"add_n", "Add", chain},
    {"argmax", "TopK", arg_extreme},
    {"argmin", "TopK", arg_extreme},
    {"batch_dot", "MatMul", product},
    {"broadcast_add", "Add", binary},
    {"broadcast_div", "Divide", binary},
    {"broadcast_equal", "Equal", comparison},
    {"broadcast_greater", "Greater", comparison},
    {"broadcast_greater_equal", "GreaterEqual", comparison},
    {"broadcast_lesser", "Less", comparison},
    {"broadcast_lesser_equal", "LessEqual", comparison},
    {"broadcast_maximum", "Maximum", binary},
    {"broadcast_minimum", "Minimum", binary},
    {"broadcast_minus", "Subtract", binary},
    {"broadcast_mod", "FloorMod", binary},
    {"broadcast_mul", "Multiply", binary},
    {"broadcast_not_equal", "NotEqual", comparison},
    {"broadcast_plus", "Add", binary},
    {"broadcast_power", "Power", binary},
    {"broadcast_sub", "Subtract", binary},
    {"cumsum", "CumSum", cumulative_sum},
    {"dot", "MatMul", product},
    {"elemwise_add", "Add", binary},
    {"elemwise_div", "Divide", binary},
    {"elemwise_mul", "Multiply", binary},
    {"elemwise_sub", "Subtract", binary},
    {"logical_not", "Equal", logical_not},
    {"max", "ReduceMax", reduction},
    {"max_axis", "ReduceMax", reduction},
    {"mean", "ReduceMean", reduction},
    {"min", "ReduceMin", reduction},
    {"min_axis", "ReduceMin", reduction},
    {"norm", "ReduceL2", norm},
    {"prod", "ReduceProd", reduction},
    {"sum", "ReduceSum", reduction},
    {"sum_axis", "ReduceSum", reduction},
    {"topk", "TopK", top_k},
    {"where", "Select", where},
};

}  // namespace

std::span<const OperatorRow> element_wise_operators() { return kOperators; }

}  // namespace blobsmith::mxnet
