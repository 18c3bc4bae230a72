// Operators that become one node of the same meaning, sums and extremes of many inputs, powers, remainders.
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

std::vector<Value> unary(Recipe& r) { return {r.make(r.becomes(), {r.input(0)})}; }
std::vector<Value> binary(Recipe& r) {
  const Value a = r.input(0), b = r.input(1);
  return {r.make(r.becomes(), {a, b})};
}

/// Before opset 7 the second operand is broadcast on demand: from an axis, or to the first one's shape.
std::vector<Value> binary_1(Recipe& r) {
  const Value a = r.input(0);
  Value b = r.input(1);
  if (r.integer("broadcast", 0) == 0) return {r.make(r.becomes(), {a, b})};
  if (!r.has("axis")) {
    const Value shape = r.shape_of(a);
    b = r.make("Broadcast", {b, shape}, attributes({{"mode", std::string("numpy")}}), 3);
  } else if (const int64_t first = r.axis(r.integer("axis", 0), r.rank(a)); first + r.rank(b) < r.rank(a)) {
    const Value tail = r.list_i64(std::vector<int64_t>(static_cast<size_t>(r.rank(a) - first - r.rank(b)), 1));
    const Value shape = r.shape_of(b);
    b = r.reshape(b, r.concat({shape, tail}, 0), false);
  }
  return {r.make(r.becomes(), {a, b})};
}

/// ((a + b) + c) + ...; one operand is its own result and takes the name of the output.
std::vector<Value> fold(Recipe& r) {
  const std::vector<Value> operands = r.inputs();
  if (operands.empty()) r.refuse("it has no inputs");
  Value result = operands[0];
  for (size_t i = 1; i < operands.size(); ++i) result = r.make(r.becomes(), {result, operands[i]});
  return {result};
}
std::vector<Value> fold_1(Recipe& r) {
  const std::vector<Value> operands = r.inputs();
  if (operands.empty()) r.refuse("it has no inputs");
  Value result = operands[0];
  for (size_t i = 1; i < operands.size(); ++i)
    result = r.make(r.becomes(), {result, operands[i]}, attributes({{"auto_broadcast", std::string("none")}}));
  return {result};
}

std::vector<Value> mean(Recipe& r) {
  const Value total = fold(r)[0];
  const Value count = r.filled(total.type(), {}, static_cast<double>(r.input_count()));
  return {r.make("Divide", {total, count})};
}

/// The operands get the type of the base, or of a floating exponent that can hold more.
std::vector<Value> power(Recipe& r) {
  Value base = r.input(0), exponent = r.input(1);
  const ElementType type = base.type(), exponent_type = exponent.type();
  if (type == exponent_type) return {r.make("Power", {base, exponent})};
  const bool base_gives_way =
      is_float(exponent_type) && (!is_float(type) || bit_width(exponent_type) > bit_width(type));
  if (!base_gives_way) {
    exponent = r.convert(exponent, type);
    return {r.make("Power", {base, exponent})};
  }
  base = r.convert(base, exponent_type);
  const Value power = r.make("Power", {base, exponent});
  return {r.convert(power, type)};
}

std::vector<Value> reciprocal(Recipe& r) {
  const Value x = r.input(0);
  const Value one = r.filled(x.type(), {}, 1);
  return {r.make("Divide", {one, x})};
}

/// quirk: an Identity is an addition of zero, so that it has a node to name.
std::vector<Value> identity(Recipe& r) {
  const Value x = r.input(0);
  if (x.type() == ElementType::boolean) {
    const Value yes = r.filled(ElementType::boolean, {}, 1);
    return {r.make("LogicalAnd", {x, yes})};
  }
  const Value zero = r.filled(x.type(), {}, 0);
  return {r.make("Add", {x, zero})};
}

std::vector<Value> remainder(Recipe& r) {
  const Value a = r.input(0), b = r.input(1);
  if (r.integer("fmod", 0) == 1) return {r.make("Mod", {a, b})};
  if (!is_integer(a.type())) r.refuse("If the input type is floating point, then `fmod` attribute must be set to 1.");
  return {r.make("FloorMod", {a, b})};
}

std::vector<Value> bit_shift(Recipe& r) {
  const Value a = r.input(0), b = r.input(1);
  const std::string direction = r.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    r.refuse("Only values 'LEFT' and 'RIGHT' are supported for 'direction' attribute. Given: " + direction);
  const Value two = r.filled(b.type(), {1}, 2);
  const Value factor = r.make("Power", {two, b});
  return {r.make(direction == "LEFT" ? "Multiply" : "Divide", {a, factor})};
}

std::vector<Value> where(Recipe& r) {
  const Value condition = r.input(0), a = r.input(1), b = r.input(2);
  return {r.make("Select", {condition, a, b})};
}

std::vector<Value> round_half_to_even(Recipe& r) {
  return {r.make("Round", {r.input(0)}, attributes({{"mode", std::string("half_to_even")}}))};
}

constexpr Row kRows[] = {
    {"Abs", 1, unary, "Abs"},
    {"Acos", 1, unary, "Acos"},
    {"Acosh", 1, unary, "Acosh"},
    {"Asin", 1, unary, "Asin"},
    {"Asinh", 1, unary, "Asinh"},
    {"Atan", 1, unary, "Atan"},
    {"Atanh", 1, unary, "Atanh"},
    {"Ceil", 1, unary, "Ceiling"},
    {"Cos", 1, unary, "Cos"},
    {"Cosh", 1, unary, "Cosh"},
    {"Erf", 1, unary, "Erf"},
    {"Exp", 1, unary, "Exp"},
    {"Floor", 1, unary, "Floor"},
    {"Log", 1, unary, "Log"},
    {"Neg", 1, unary, "Negative"},
    {"Not", 1, unary, "LogicalNot"},
    {"Relu", 1, unary, "Relu"},
    {"Sigmoid", 1, unary, "Sigmoid"},
    {"Sign", 1, unary, "Sign"},
    {"Sin", 1, unary, "Sin"},
    {"Sinh", 1, unary, "Sinh"},
    {"Softplus", 1, unary, "SoftPlus"},
    {"Sqrt", 1, unary, "Sqrt"},
    {"Tan", 1, unary, "Tan"},
    {"Tanh", 1, unary, "Tanh"},
    {"Round", 1, round_half_to_even},
    {"Add", 1, binary_1, "Add"},
    {"Add", 7, binary, "Add"},
    {"Sub", 1, binary_1, "Subtract"},
    {"Sub", 7, binary, "Subtract"},
    {"Mul", 1, binary_1, "Multiply"},
    {"Mul", 7, binary, "Multiply"},
    {"Div", 1, binary_1, "Divide"},
    {"Div", 7, binary, "Divide"},
    {"And", 1, binary, "LogicalAnd"},
    {"Or", 1, binary, "LogicalOr"},
    {"Xor", 1, binary, "LogicalXor"},
    {"Equal", 1, binary, "Equal"},
    {"Greater", 1, binary, "Greater"},
    {"Less", 1, binary, "Less"},
    {"PRelu", 1, binary, "PRelu"},
    {"Pow", 1, power},
    {"Mod", 1, remainder},
    {"BitShift", 1, bit_shift},
    {"Sum", 1, fold_1, "Add"},
    {"Sum", 8, fold, "Add"},
    {"Max", 1, fold_1, "Maximum"},
    {"Max", 8, fold, "Maximum"},
    {"Min", 1, fold_1, "Minimum"},
    {"Min", 8, fold, "Minimum"},
    {"Mean", 1, mean, "Add"},
    {"Reciprocal", 1, reciprocal},
    {"Identity", 1, identity},
    {"Where", 1, where},
};

}  // namespace

std::span<const Row> arithmetic_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
