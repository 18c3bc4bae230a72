// Arithmetic, comparison, logic, type conversion.
#include "graph/ops/known_value.hpp"
#include "importers/onnx/mapper.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::onnx_import {
namespace {

template <const char* kType>
std::vector<Value> map_binary(Context& c) {
  return {c.binary(kType, c.input(0), c.input(1))};
}

/// Logic, selection: inputs as they are.
template <const char* kType, size_t kInputs>
std::vector<Value> map_plain(Context& c) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < kInputs; ++i) inputs.push_back(c.input(i));
  return {c.make(kType, inputs)};
}

/// More than two operands: a chain whose last link has the layer's name.
template <const char* kType>
std::vector<Value> map_chain(Context& c) {
  Value v = c.input(0);
  const size_t n = c.node().inputs.size();
  for (size_t i = 1; i < n; ++i) v = c.binary(kType, v, c.input(i), i + 1 < n ? "/" + std::to_string(i) : "");
  return {v};
}

std::vector<Value> map_sqrt(Context& c) { return {c.binary("Power", c.input(0), 0.5)}; }
std::vector<Value> map_reciprocal(Context& c) { return {c.binary("Power", c.input(0), -1)}; }
std::vector<Value> map_neg(Context& c) { return {c.binary("Multiply", c.input(0), -1)}; }
std::vector<Value> map_identity(Context& c) { return {c.input(0)}; }

/// No operator of Model Optimizer: the sum, times 1/n.
std::vector<Value> map_mean(Context& c) {
  const size_t n = c.node().inputs.size();
  Value sum = c.input(0);
  for (size_t i = 1; i < n; ++i) sum = c.binary("Add", sum, c.input(i), "/" + std::to_string(i));
  return {n == 1 ? sum : c.binary("Multiply", sum, 1.0 / static_cast<double>(n))};
}

/// No operator of Model Optimizer. The remainder with the sign of the divisor; with fmod that of the dividend, which is
/// the remainder of the positive part less that of the negative one.
std::vector<Value> map_mod(Context& c) {
  const Value x = c.input(0), y = c.input(1);
  if (c.integer("fmod", 0) == 0) {
    if (is_float(x.type()) || known_value(x)) return {c.binary("FloorMod", x, y)};
    // The VPU has no remainder of integers; as real numbers they are exact up to 2048.
    const auto convert = [&](Value v, const char* to, const std::string& suffix) {
      return c.make("Convert", {v}, attributes({{"destination_type", std::string(to)}}), Context::kNewest, suffix);
    };
    const Value rest = c.binary("FloorMod", convert(x, "f32", "/dividend"), convert(y, "f32", "/divisor"), "/rest");
    return {convert(rest, std::string(to_string(x.type())).c_str(), "")};
  }
  if (!is_float(x.type())) c.refuse("fmod of integers is not supported");
  const Value divisor = c.make("Abs", {y}, {}, Context::kNewest, "/divisor");
  const Value positive = c.make("Relu", {x}, {}, Context::kNewest, "/positive");
  const Value negative = c.make("Relu", {c.binary("Multiply", x, -1, "/negated")}, {}, Context::kNewest, "/negative");
  return {c.binary("Subtract", c.binary("FloorMod", positive, divisor, "/positive_rest"),
                   c.binary("FloorMod", negative, divisor, "/negative_rest"))};
}

const char* element_type_name(Context& c, int64_t onnx_type) {
  switch (onnx_type) {
    case 1: return "f32";
    case 2: return "u8";
    case 3: return "i8";
    case 4: return "u16";
    case 5: return "i16";
    case 6: return "i32";
    case 7: return "i64";
    case 9: return "boolean";
    case 10: return "f16";
    case 11: return "f64";
    case 12: return "u32";
    case 13: return "u64";
    default: c.refuse("it converts to the element type number " + std::to_string(onnx_type));
  }
}

std::vector<Value> map_cast(Context& c) {
  return {c.make("Convert", {c.input(0)},
                 attributes({{"destination_type", std::string(element_type_name(c, c.integer("to", 1)))}}))};
}

// ONNX operator -> opset operation of the same inputs
constexpr char kAdd[] = "Add", kMultiply[] = "Multiply", kSubtract[] = "Subtract", kDivide[] = "Divide",
               kPower[] = "Power", kMaximum[] = "Maximum", kMinimum[] = "Minimum", kEqual[] = "Equal",
               kGreater[] = "Greater", kGreaterEqual[] = "GreaterEqual", kLess[] = "Less", kLessEqual[] = "LessEqual",
               kAnd[] = "LogicalAnd", kOr[] = "LogicalOr", kXor[] = "LogicalXor", kNot[] = "LogicalNot",
               kSelect[] = "Select";

constexpr Mapper kMappers[] = {{"Add", map_binary<kAdd>},
                               {"Mul", map_binary<kMultiply>},
                               {"Pow", map_binary<kPower>},
                               {"Sub", map_binary<kSubtract>},
                               {"Div", map_binary<kDivide>},
                               {"Sum", map_chain<kAdd>},
                               {"Mean", map_mean},
                               {"Mod", map_mod},
                               {"Max", map_chain<kMaximum>},
                               {"Min", map_chain<kMinimum>},
                               {"Sqrt", map_sqrt},
                               {"Reciprocal", map_reciprocal},
                               {"Neg", map_neg},
                               {"Equal", map_binary<kEqual>},
                               {"Greater", map_binary<kGreater>},
                               {"GreaterOrEqual", map_binary<kGreaterEqual>},
                               {"Less", map_binary<kLess>},
                               {"LessOrEqual", map_binary<kLessEqual>},
                               {"And", map_plain<kAnd, 2>},
                               {"Or", map_plain<kOr, 2>},
                               {"Xor", map_plain<kXor, 2>},
                               {"Not", map_plain<kNot, 1>},
                               {"Where", map_plain<kSelect, 3>},
                               {"Cast", map_cast},
                               {"Identity", map_identity},
                               {"Dropout", map_identity}};

}  // namespace

std::span<const Mapper> element_wise_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
