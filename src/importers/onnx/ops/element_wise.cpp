// Operators that become one operation of the same meaning; sums and extremes of many inputs, powers, remainders.
#include <algorithm>
#include <cmath>

#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

std::vector<Value> unary(Context& c) { return {c.make(c.becomes(), {c.input(0)})}; }

bool is_whole_constant(const Tensor* t) {
  return t && std::ranges::all_of(t->to_f32(), [](float v) { return v == std::floor(v); });
}
std::vector<Value> binary(Context& c) { return {c.binary(c.becomes(), c.input(0), c.input(1))}; }

/// Quotients of integers are cut off, not rounded down.
/// quirk: Model Optimizer doesn't say so.
std::vector<Value> divide(Context& c) {
  const Value a = c.input(0);
  if (is_float(a.type()) || c.quirks()) return binary(c);
  const size_t rank = std::max(a.shape().size(), c.input(1).shape().size());
  return {c.make("Divide", {c.ranked(a, rank), c.ranked(c.input(1), rank)}, attributes({{"m_pythondiv", false}}))};
}

/// Base and exponent may be of different types; the result has that of the base.
std::vector<Value> power(Context& c) {
  const Value base = c.input(0), exponent = c.input(1);
  if (base.type() == exponent.type()) return binary(c);
  const auto as = [&](Value v, ElementType type, const char* suffix) {
    if (v.type() == type) return v;
    return c.make("Convert", {v}, attributes({{"destination_type", std::string(to_string(type))}}), Context::kNewest,
                  suffix);
  };
  const bool whole_exponent = !is_float(exponent.type()) || is_whole_constant(c.constant(1));
  if (is_float(base.type()) || whole_exponent) return {c.binary("Power", base, as(exponent, base.type(), "/exponent"))};
  const Value y = c.binary("Power", as(base, exponent.type(), "/base"), exponent, "/power");
  return {as(y, base.type(), "")};
}

/// Logic, selection, slopes: inputs as they are.
std::vector<Value> plain(Context& c) { return {c.make(c.becomes(), c.inputs())}; }

/// More than two operands: a chain whose last link has the layer's name.
std::vector<Value> chain(Context& c) {
  Value v = c.input(0);
  const size_t n = c.input_count();
  for (size_t i = 1; i < n; ++i) v = c.binary(c.becomes(), v, c.input(i), i + 1 < n ? "/" + std::to_string(i) : "");
  return {v};
}

std::vector<Value> square_root(Context& c) { return {c.binary("Power", c.input(0), 0.5)}; }
std::vector<Value> reciprocal(Context& c) { return {c.binary("Power", c.input(0), -1)}; }
std::vector<Value> negative(Context& c) { return {c.binary("Multiply", c.input(0), -1)}; }
std::vector<Value> identity(Context& c) { return {c.input(0)}; }

/// No operator of Model Optimizer: the sum, times 1/n.
std::vector<Value> mean(Context& c) {
  const size_t n = c.input_count();
  Value sum = c.input(0);
  for (size_t i = 1; i < n; ++i) sum = c.binary("Add", sum, c.input(i), "/" + std::to_string(i));
  return {n == 1 ? sum : c.binary("Multiply", sum, 1.0 / static_cast<double>(n))};
}

/// No operator of Model Optimizer. The remainder with the sign of the divisor; with fmod that of the dividend, which is
/// the remainder of the positive part less that of the negative one.
std::vector<Value> remainder(Context& c) {
  const Value x = c.input(0), y = c.input(1);
  if (c.integer("fmod", 0) == 0) return {c.binary("FloorMod", x, y)};
  if (!is_float(x.type())) return {c.binary("Mod", x, y)};
  const Value divisor = c.make("Abs", {y}, {}, Context::kNewest, "/divisor");
  const Value positive = c.make("Relu", {x}, {}, Context::kNewest, "/positive");
  const Value below = c.make("Relu", {c.binary("Multiply", x, -1, "/negated")}, {}, Context::kNewest, "/negative");
  return {c.binary("Subtract", c.binary("FloorMod", positive, divisor, "/positive_rest"),
                   c.binary("FloorMod", below, divisor, "/negative_rest"))};
}

/// Slopes of every channel, or one for all, have a stage; others are factors of the negative part.
/// quirk: Model Optimizer takes any list of slopes for those of the channels.
std::vector<Value> prelu(Context& c) {
  const Value x = c.input(0), slope = c.input(1);
  const Shape &given = slope.shape(), &data = x.shape();
  const bool channels = given.size() == 1 && data.size() == 2;
  const bool has_stage = slope.node->is_constant() && (element_count(given) == 1 || channels ||
                                                       (given.size() + 1 >= data.size() && data.size() > 2 &&
                                                        element_count(given) == given[given.size() + 1 - data.size()] &&
                                                        element_count(given) == data[1]));
  if (c.quirks() || has_stage || !is_static(given) || !is_static(data)) return plain(c);
  const Value above = c.make("Relu", {x}, {}, Context::kNewest, "/above");
  const Value below = c.make("Relu", {c.binary("Multiply", x, -1, "/negated")}, {}, Context::kNewest, "/below");
  return {c.binary("Subtract", above, c.binary("Multiply", below, slope, "/scaled"))};
}

/// Only a NaN differs from itself.
std::vector<Value> is_nan(Context& c) { return {c.make("NotEqual", {c.input(0), c.input(0)})}; }

/// Beyond the largest number of FP16.
std::vector<Value> is_infinite(Context& c) {
  constexpr double kLargest = 65504;
  const Value x = c.input(0);
  const bool above = c.integer("detect_positive", 1) != 0, below = c.integer("detect_negative", 1) != 0;
  if (above && below) return {c.binary("Greater", c.make("Abs", {x}, {}, Context::kNewest, "/abs"), kLargest)};
  if (!above && !below)
    return {c.binary("LogicalAnd", c.binary("Greater", x, x, "/never"), c.binary("Less", x, x, "/no"))};
  return {above ? c.binary("Greater", x, kLargest) : c.binary("Less", x, -kLargest)};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

std::vector<Value> unary(Context& c) { return {c.make(c.becomes(), {c.input(0)})}; }
std::vector<Value> binary(Context& c) {
  const Value a = c.input(0), b = c.input(1);
  return {c.make(c.becomes(), {a, b})};
}

/// Before opset 7 the second operand is broadcast on demand: from an axis, or to the first one's shape.
std::vector<Value> binary_1(Context& c) {
  const Value a = c.input(0);
  Value b = c.input(1);
  if (c.integer("broadcast", 0) == 0) return {c.make(c.becomes(), {a, b})};
  if (!c.has("axis")) {
    const Value shape = c.shape_of(a);
    b = c.make("Broadcast", {b, shape}, attributes({{"mode", std::string("numpy")}}), 3);
  } else if (const int64_t first = c.axis(c.integer("axis", 0), c.rank(a)); first + c.rank(b) < c.rank(a)) {
    const Value tail = c.list_i64(std::vector<int64_t>(static_cast<size_t>(c.rank(a) - first - c.rank(b)), 1));
    const Value shape = c.shape_of(b);
    b = c.reshape(b, c.concat({shape, tail}, 0), false);
  }
  return {c.make(c.becomes(), {a, b})};
}

/// ((a + b) + c) + ...; one operand is its own result and takes the name of the output.
std::vector<Value> fold(Context& c) {
  const std::vector<Value> operands = c.inputs();
  if (operands.empty()) c.refuse("it has no inputs");
  Value result = operands[0];
  for (size_t i = 1; i < operands.size(); ++i) result = c.make(c.becomes(), {result, operands[i]});
  return {result};
}
std::vector<Value> fold_1(Context& c) {
  const std::vector<Value> operands = c.inputs();
  if (operands.empty()) c.refuse("it has no inputs");
  Value result = operands[0];
  for (size_t i = 1; i < operands.size(); ++i)
    result = c.make(c.becomes(), {result, operands[i]}, attributes({{"auto_broadcast", std::string("none")}}));
  return {result};
}

std::vector<Value> mean(Context& c) {
  const Value total = fold(c)[0];
  const Value count = c.filled(total.type(), {}, static_cast<double>(c.input_count()));
  return {c.make("Divide", {total, count})};
}

/// The operands get the type of the base, or of a floating exponent that can hold more.
std::vector<Value> power(Context& c) {
  Value base = c.input(0), exponent = c.input(1);
  const ElementType type = base.type(), exponent_type = exponent.type();
  if (type == exponent_type) return {c.make("Power", {base, exponent})};
  const bool base_gives_way =
      is_float(exponent_type) && (!is_float(type) || bit_width(exponent_type) > bit_width(type));
  if (!base_gives_way) {
    exponent = c.convert(exponent, type);
    return {c.make("Power", {base, exponent})};
  }
  base = c.convert(base, exponent_type);
  const Value power = c.make("Power", {base, exponent});
  return {c.convert(power, type)};
}

/// alpha · x + beta
std::vector<Value> affine(Context& c) {
  const Value x = c.input(0);
  for (const char* a : {"alpha", "beta"})
    if (!c.has(a)) c.refuse("\"" + std::string(a) + "\" attribute is required.");
  const Value alpha = c.filled(x.type(), {}, c.real("alpha", 1)), beta = c.filled(x.type(), {}, c.real("beta", 0));
  return {c.binary("Add", c.binary("Multiply", x, alpha), beta)};
}

std::vector<Value> reciprocal(Context& c) {
  const Value x = c.input(0);
  const Value one = c.filled(x.type(), {}, 1);
  return {c.make("Divide", {one, x})};
}

/// quirk: an Identity is an addition of zero, so that it has a node to name; or it gives its name away.
std::vector<Value> identity(Context& c) {
  const Value x = c.input(0);
  if (c.release().identity_is_its_input) return {x};
  if (x.type() == ElementType::boolean) {
    const Value yes = c.filled(ElementType::boolean, {}, 1);
    return {c.make("LogicalAnd", {x, yes})};
  }
  const Value zero = c.filled(x.type(), {}, 0);
  return {c.make("Add", {x, zero})};
}

std::vector<Value> remainder(Context& c) {
  const Value a = c.input(0), b = c.input(1);
  if (c.integer("fmod", 0) == 1) return {c.make("Mod", {a, b})};
  if (!is_integer(a.type())) c.refuse("If the input type is floating point, then `fmod` attribute must be set to 1.");
  return {c.make("FloorMod", {a, b})};
}

std::vector<Value> bit_shift(Context& c) {
  const Value a = c.input(0), b = c.input(1);
  const std::string direction = c.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    c.refuse("Only values 'LEFT' and 'RIGHT' are supported for 'direction' attribute. Given: " + direction);
  const Value two = c.filled(b.type(), {1}, 2);
  const Value factor = c.make("Power", {two, b});
  return {c.make(direction == "LEFT" ? "Multiply" : "Divide", {a, factor})};
}

std::vector<Value> where(Context& c) {
  const Value condition = c.input(0), a = c.input(1), b = c.input(2);
  return {c.make("Select", {condition, a, b})};
}

std::vector<Value> round_half_to_even(Context& c) {
  return {c.make("Round", {c.input(0)}, attributes({{"mode", std::string("half_to_even")}}))};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"Abs", 1, "Abs", mo::unary, ie::unary},
    {"Acos", 1, "Acos", mo::unary, ie::unary},
    {"Acosh", 1, "Acosh", mo::unary, ie::unary},
    {"Asin", 1, "Asin", mo::unary, ie::unary},
    {"Asinh", 1, "Asinh", mo::unary, ie::unary},
    {"Atan", 1, "Atan", mo::unary, ie::unary},
    {"Atanh", 1, "Atanh", mo::unary, ie::unary},
    {"Ceil", 1, "Ceiling", mo::unary, ie::unary},
    {"Cos", 1, "Cos", mo::unary, ie::unary},
    {"Cosh", 1, "Cosh", mo::unary, ie::unary},
    {"Erf", 1, "Erf", mo::unary, ie::unary},
    {"Exp", 1, "Exp", mo::unary, ie::unary},
    {"Floor", 1, "Floor", mo::unary, ie::unary},
    {"Log", 1, "Log", mo::unary, ie::unary},
    {"Relu", 1, "Relu", mo::unary, ie::unary},
    {"Sigmoid", 1, "Sigmoid", mo::unary, ie::unary},
    {"Sign", 1, "Sign", mo::unary, ie::unary},
    {"Sin", 1, "Sin", mo::unary, ie::unary},
    {"Sinh", 1, "Sinh", mo::unary, ie::unary},
    {"Softplus", 1, "SoftPlus", mo::unary, ie::unary},
    {"Tan", 1, "Tan", mo::unary, ie::unary},
    {"Tanh", 1, "Tanh", mo::unary, ie::unary},
    {"HardSwish", 1, "HSwish", mo::unary, ie::unary, &Release::newer_onnx_operators},
    {"CastLike", 1, "ConvertLike", nullptr, ie::binary, &Release::newer_onnx_operators},
    {"Affine", 1, "Add", nullptr, ie::affine, &Release::newer_onnx_operators},
    {"Mish", 1, "Mish", mo::unary, nullptr},
    {"Round", 1, "Round", mo::unary, ie::round_half_to_even},
    {"Neg", 1, "Negative", mo::negative, ie::unary},
    {"Sqrt", 1, "Sqrt", mo::square_root, ie::unary},
    {"Reciprocal", 1, "Power", mo::reciprocal, ie::reciprocal},
    {"Identity", 1, "", mo::identity, ie::identity},
    {"Add", 1, "Add", mo::binary, ie::binary_1},
    {"Add", 7, "Add", mo::binary, ie::binary},
    {"Sub", 1, "Subtract", mo::binary, ie::binary_1},
    {"Sub", 7, "Subtract", mo::binary, ie::binary},
    {"Mul", 1, "Multiply", mo::binary, ie::binary_1},
    {"Mul", 7, "Multiply", mo::binary, ie::binary},
    {"Div", 1, "Divide", mo::divide, ie::binary_1},
    {"Div", 7, "Divide", mo::divide, ie::binary},
    {"Pow", 1, "Power", mo::power, ie::power},
    {"Mod", 1, "FloorMod", mo::remainder, ie::remainder},
    {"BitShift", 1, "Multiply", nullptr, ie::bit_shift},
    {"IsNaN", 9, "NotEqual", mo::is_nan, nullptr},
    {"IsInf", 10, "Greater", mo::is_infinite, nullptr},
    {"PRelu", 1, "PRelu", mo::prelu, ie::binary},
    {"Equal", 1, "Equal", mo::binary, ie::binary},
    {"Greater", 1, "Greater", mo::binary, ie::binary},
    {"Less", 1, "Less", mo::binary, ie::binary},
    {"GreaterOrEqual", 1, "GreaterEqual", mo::binary, nullptr},
    {"LessOrEqual", 1, "LessEqual", mo::binary, nullptr},
    {"And", 1, "LogicalAnd", mo::plain, ie::binary},
    {"Or", 1, "LogicalOr", mo::plain, ie::binary},
    {"Xor", 1, "LogicalXor", mo::plain, ie::binary},
    {"Not", 1, "LogicalNot", mo::plain, ie::unary},
    {"Where", 1, "Select", mo::plain, ie::where},
    {"Sum", 1, "Add", mo::chain, ie::fold_1},
    {"Sum", 8, "Add", mo::chain, ie::fold},
    {"Max", 1, "Maximum", mo::chain, ie::fold_1},
    {"Max", 8, "Maximum", mo::chain, ie::fold},
    {"Min", 1, "Minimum", mo::chain, ie::fold_1},
    {"Min", 8, "Minimum", mo::chain, ie::fold},
    {"Mean", 1, "Add", mo::mean, ie::mean},
};

}  // namespace

std::span<const OperatorRow> element_wise_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
