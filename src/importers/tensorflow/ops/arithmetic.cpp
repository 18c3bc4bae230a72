// Element-wise arithmetic, logic, selection, types.
#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

std::vector<Value> unary(Context& c) { return {c.make(c.becomes(), {c.input(0)})}; }
std::vector<Value> binary(Context& c) { return {c.binary(c.becomes(), c.input(0), c.input(1))}; }
std::vector<Value> identity(Context& c) { return {c.input(0)}; }
std::vector<Value> identities(Context& c) { return c.inputs(); }

std::vector<Value> chain(Context& c) {
  Value v = c.input(0);
  const size_t n = c.input_count();
  for (size_t i = 1; i < n; ++i) v = c.binary(c.becomes(), v, c.input(i), i + 1 < n ? "/" + std::to_string(i) : "");
  return {v};
}

/// "Pow-form": a power of a fixed exponent.
Value power(Context& c, double exponent) {
  return c.make("Power", {c.input(0), c.number_like(c.input(0), exponent)}, {}, Context::kNewest, "/pow_");
}
std::vector<Value> square(Context& c) { return {power(c, 2)}; }
std::vector<Value> square_root(Context& c) { return {power(c, 0.5)}; }
std::vector<Value> reciprocal_root(Context& c) { return {power(c, -0.5)}; }
std::vector<Value> reciprocal(Context& c) { return {power(c, -1)}; }
std::vector<Value> negative(Context& c) {
  return {c.make("Multiply", {c.input(0), c.number_like(c.input(0), -1)}, {}, Context::kNewest, "/mul_")};
}
std::vector<Value> zeros_like(Context& c) {
  return {c.make("Multiply", {c.input(0), c.number_like(c.input(0), 0)}, {}, Context::kNewest, "/mul_")};
}
std::vector<Value> ones_like(Context& c) {
  const Value zeros = c.make("Multiply", {c.input(0), c.number_like(c.input(0), 0)}, {}, Context::kNewest, "/mul_");
  return {c.binary("Add", zeros, 1, "/add_")};
}

std::vector<Value> log_1p(Context& c) { return {c.make("Log", {c.binary("Add", c.input(0), 1, "/Add_")})}; }
std::vector<Value> exp_m1(Context& c) {
  return {c.binary("Add", c.make("Exp", {c.input(0)}, {}, Context::kNewest, "/Exp_"), -1)};
}
std::vector<Value> complementary_error(Context& c) {
  const Value erf = c.make("Erf", {c.input(0)}, {}, Context::kNewest, "/Erf_");
  return {c.binary("Add", c.binary("Multiply", erf, -1, "/mul_"), 1)};
}

std::vector<Value> floor_divide(Context& c) {
  const Value quotient = c.binary("Divide", c.input(0), c.input(1), is_float(c.input(0).type()) ? "/divide" : "");
  return {is_float(quotient.type()) ? c.make("Floor", {quotient}) : quotient};
}

/// 0 where the divisor is 0.
std::vector<Value> divide_no_nan(Context& c) {
  const Value x = c.input(0), y = c.input(1);
  const Value is_zero = c.binary("Equal", y, 0, "/is_zero");
  const Value safe = c.make("Select", {is_zero, c.number_like(y, 1), y}, {}, Context::kNewest, "/divisor");
  const Value quotient = c.binary("Divide", x, safe, "/divide");
  return {c.make("Select", {is_zero, c.number_like(quotient, 0), quotient})};
}

/// x · log y, 0 where x is 0.
std::vector<Value> x_log_y(Context& c) {
  const Value x = c.input(0);
  const Value log = c.make("Log", {c.input(1)}, {}, Context::kNewest, "/log");
  const Value product = c.binary("Multiply", x, log, "/product");
  return {c.make("Select", {c.binary("Equal", x, 0, "/is_zero"), c.number_like(product, 0), product})};
}

std::vector<Value> cast(Context& c) {
  const tensorflow_file::Attribute* to = c.node().find("DstT");
  const auto type = to && to->type ? tensorflow_file::element_type(*to->type) : std::nullopt;
  if (!type) c.refuse("it casts to a type that is not supported");
  if (*type == c.input(0).type()) return {c.input(0)};
  return {c.convert(c.input(0), *type)};
}

/// A bias of one value per channel, or of a full matrix product.
std::vector<Value> bias_add(Context& c) {
  const Value x = c.input(0);
  Value bias = c.input(1);
  if (!c.channels_last() && x.shape().size() > 2) {
    std::vector<int64_t> shape{element_count(bias.shape())};
    shape.resize(x.shape().size() - 1, 1);
    bias = c.reshape(bias, shape, "/bias");
  }
  return {c.binary("Add", x, bias, "/Add")};
}

/// Select of TensorFlow 1 takes a vector of conditions for whole rows; SelectV2 broadcasts.
std::vector<Value> select(Context& c) {
  Value condition = c.input(0);
  const Value a = c.input(1), b = c.input(2);
  if (c.node().op == "Select" && condition.shape().size() == 1 && a.shape().size() > 1) {
    std::vector<int64_t> shape(a.shape().size(), 1);
    shape[0] = condition.shape()[0];
    condition = c.reshape(condition, shape, "/condition");
  }
  const size_t rank = std::max({condition.shape().size(), a.shape().size(), b.shape().size()});
  return {c.make("Select", {c.ranked(condition, rank), c.ranked(a, rank), c.ranked(b, rank)})};
}

std::vector<Value> round(Context& c) {
  return {c.make("Round", {c.input(0)}, attributes({{"mode", std::string("half_to_even")}}))};
}

std::vector<Value> clip(Context& c) {
  const size_t rank = c.input(0).shape().size();
  const Value upper = c.binary("Minimum", c.input(0), c.ranked(c.input(2), rank), "/Minimum");
  return {c.binary("Maximum", upper, c.ranked(c.input(1), rank))};
}

constexpr OperatorRow kOperators[] = {
    {"Identity", "", identity},
    {"IdentityN", "", identities},
    {"StopGradient", "", identity},
    {"PreventGradient", "", identity},
    {"Snapshot", "", identity},
    {"CheckNumerics", "", identity},
    {"PlaceholderWithDefault", "", identity},
    {"ReadVariableOp", "", identity},
    {"DisableCopyOnRead", "", identity},
    {"EnsureShape", "", identity},
    {"Add", "Add", binary},
    {"AddV2", "Add", binary},
    {"AddN", "Add", chain},
    {"AccumulateNV2", "Add", chain},
    {"BiasAdd", "Add", bias_add},
    {"BiasAddV1", "Add", bias_add},
    {"Sub", "Subtract", binary},
    {"Mul", "Multiply", binary},
    {"RealDiv", "Divide", binary},
    {"Div", "Divide", binary},
    {"DivNoNan", "Divide", divide_no_nan},
    {"FloorDiv", "Divide", floor_divide},
    {"FloorMod", "FloorMod", binary},
    {"Maximum", "Maximum", binary},
    {"Minimum", "Minimum", binary},
    {"Pow", "Power", binary},
    {"SquaredDifference", "SquaredDifference", binary},
    {"Square", "Power", square},
    {"Sqrt", "Power", square_root},
    {"Rsqrt", "Power", reciprocal_root},
    {"Reciprocal", "Power", reciprocal},
    {"Inv", "Power", reciprocal},
    {"Neg", "Multiply", negative},
    {"ZerosLike", "Multiply", zeros_like},
    {"OnesLike", "Multiply", ones_like},
    {"Xlogy", "Multiply", x_log_y},
    {"Equal", "Equal", binary},
    {"NotEqual", "NotEqual", binary},
    {"Greater", "Greater", binary},
    {"GreaterEqual", "GreaterEqual", binary},
    {"Less", "Less", binary},
    {"LessEqual", "LessEqual", binary},
    {"LogicalAnd", "LogicalAnd", binary},
    {"LogicalOr", "LogicalOr", binary},
    {"LogicalNot", "LogicalNot", unary},
    {"Select", "Select", select},
    {"SelectV2", "Select", select},
    {"ClipByValue", "Maximum", clip},
    {"Cast", "Convert", cast},
    {"Abs", "Abs", unary},
    {"Sign", "Sign", unary},
    {"Floor", "Floor", unary},
    {"Ceil", "Ceiling", unary},
    {"Round", "Round", round},
    {"Rint", "Round", round},
    {"Exp", "Exp", unary},
    {"Expm1", "Exp", exp_m1},
    {"Log", "Log", unary},
    {"Log1p", "Log", log_1p},
    {"Erf", "Erf", unary},
    {"Erfc", "Erf", complementary_error},
    {"Sin", "Sin", unary},
    {"Cos", "Cos", unary},
    {"Tan", "Tan", unary},
    {"Asin", "Asin", unary},
    {"Acos", "Acos", unary},
    {"Atan", "Atan", unary},
    {"Sinh", "Sinh", unary},
    {"Cosh", "Cosh", unary},
    {"Asinh", "Asinh", unary},
    {"Acosh", "Acosh", unary},
    {"Atanh", "Atanh", unary},
};

}  // namespace

std::span<const OperatorRow> arithmetic_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
