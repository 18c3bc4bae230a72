// QuantizeLinear and DequantizeLinear. Model Optimizer makes a FakeQuantize of a pair, which the VPU lacks: the left
// column spells them out in real numbers; quantized constants become the constants that they stand for.
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

Value real(Context& c, Value v, const std::string& suffix) {
  if (is_float(v.type())) return v;
  return c.make("Convert", {v}, attributes({{"destination_type", std::string("f32")}}), Context::kNewest, suffix);
}

/// A scale or zero point as a constant that broadcasts against x: one value, or one for each element of the axis.
Value along_axis(Context& c, size_t input, Value x) {
  const Tensor* t = c.constant(input);
  if (!t) c.refuse("its scale or zero point is not a constant");
  const std::vector<float> values = t->to_f32();
  Shape shape(x.shape().size(), 1);
  if (values.size() != 1) {
    const auto axis = static_cast<size_t>(c.axis(c.integer("axis", 1), static_cast<int64_t>(shape.size())));
    shape[axis] = static_cast<int64_t>(values.size());
    if (x.shape()[axis] != shape[axis] || t->shape.size() != 1)
      c.refuse("its scale or zero point has the shape " + to_string(t->shape));
  }
  return c.graph()
      .constant(Tensor::of(ElementType::f32, shape, values), c.name() + "/" + std::to_string(input))
      ->value();
}

bool has_zero_point(Context& c) {
  if (!c.has_input(2)) return false;
  const Tensor* t = c.constant(2);
  if (!t) c.refuse("its zero point is not a constant");
  for (float v : t->to_f32())
    if (v != 0) return true;
  return false;
}

/// Clamp(round(x / scale) + zero): the integer as a real number.
std::vector<Value> quantize(Context& c) {
  const ElementType type = c.has_input(2) ? c.input(2).type() : ElementType::u8;
  if (type != ElementType::u8 && type != ElementType::i8) c.refuse("its zero point is neither UINT8 nor INT8");
  const Value x = c.input(0);
  const Value inverse = c.binary("Power", along_axis(c, 1, x), -1, "/inverse");
  Value q = c.make("Round", {c.binary("Multiply", x, inverse, "/scaled")},
                   attributes({{"mode", std::string("half_to_even")}}), 5, "/rounded");
  if (has_zero_point(c)) q = c.binary("Add", q, along_axis(c, 2, x), "/shifted");
  const bool is_signed = type == ElementType::i8;
  return {c.make("Clamp", {q}, attributes({{"min", is_signed ? -128.0 : 0.0}, {"max", is_signed ? 127.0 : 255.0}}))};
}

/// (x - zero) * scale
std::vector<Value> dequantize(Context& c) {
  Value x = real(c, c.input(0), "/Cast");
  if (has_zero_point(c)) x = c.binary("Subtract", x, along_axis(c, 2, x), "/Sub");
  return {c.binary("Multiply", x, along_axis(c, 1, x))};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

/// A vector of one value per element of an axis, with ones around it.
Value along_axis(Context& c, Value v, Value x, int64_t axis, bool special_zero) {
  if (v.shape().empty()) return v;
  std::vector<int64_t> shape(x.shape().size(), 1);
  shape.at(static_cast<size_t>(axis)) = x.shape().at(static_cast<size_t>(axis));
  const Value pattern = c.list_i64(shape);
  return c.reshape(v, pattern, special_zero);
}

std::vector<Value> dequantize(Context& c, Value x, Value scale, Value zero) {
  const Value real = c.convert(x, ElementType::f32);
  const Value shifted = c.binary("Subtract", real, zero);
  return {c.binary("Multiply", shifted, scale)};
}

Value real_zero_point(Context& c) {
  return c.has_input(2) ? c.convert(c.input(2), ElementType::f32) : c.filled(ElementType::f32, {}, 0);
}

std::vector<Value> dequantize_10(Context& c) {
  const Value x = c.input(0), scale = c.input(1);
  return dequantize(c, x, scale, real_zero_point(c));
}

std::vector<Value> dequantize_13(Context& c) {
  const Value x = c.input(0);
  Value scale = c.input(1), zero = real_zero_point(c);
  const int64_t axis = c.axis(c.integer("axis", 1), c.rank(x));
  scale = along_axis(c, scale, x, axis, true);
  zero = along_axis(c, zero, x, axis, true);
  return dequantize(c, x, scale, zero);
}

/// The real values that the ends of the integer range stand for.
std::vector<Value> quantize(Context& c, Value x, Value scale, Value zero) {
  const bool is_signed = zero.type() == ElementType::i8;
  if (!is_signed && zero.type() != ElementType::u8)
    c.refuse("\"y_zero_point\" input data for QuantizeLinear operator must be one of the supported types: u8 or i8");
  const Value low = c.filled(x.type(), {1}, is_signed ? -128 : 0),
              high = c.filled(x.type(), {1}, is_signed ? 127 : 255);
  const Value shift = c.convert(zero, x.type());
  const Value low_offset = c.binary("Subtract", low, shift), input_low = c.binary("Multiply", scale, low_offset);
  const Value high_offset = c.binary("Subtract", high, shift), input_high = c.binary("Multiply", scale, high_offset);
  const Value rounded =
      c.make("FakeQuantize", {x, input_low, input_high, low, high}, attributes({{"levels", int64_t{256}}}));
  return {c.convert(rounded, zero.type())};
}

Value zero_point(Context& c) { return c.has_input(2) ? c.input(2) : c.filled(ElementType::u8, {1}, 0); }

std::vector<Value> quantize_10(Context& c) {
  const Value x = c.input(0), scale = c.input(1);
  return quantize(c, x, scale, zero_point(c));
}

std::vector<Value> quantize_13(Context& c) {
  const Value x = c.input(0);
  Value scale = c.input(1), zero = zero_point(c);
  const int64_t axis = scale.shape().empty() && zero.shape().empty() ? 0 : c.axis(c.integer("axis", 1), c.rank(x));
  scale = along_axis(c, scale, x, axis, false);
  zero = along_axis(c, zero, x, axis, false);
  return quantize(c, x, scale, zero);
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"DequantizeLinear", 1, "Multiply", mo::dequantize, ie::dequantize_10},
    {"DequantizeLinear", 13, "Multiply", mo::dequantize, ie::dequantize_13},
    {"QuantizeLinear", 1, "Clamp", mo::quantize, ie::quantize_10},
    {"QuantizeLinear", 13, "Clamp", mo::quantize, ie::quantize_13},
};

}  // namespace

std::span<const OperatorRow> quantization_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
