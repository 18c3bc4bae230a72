// Quantized values to real ones and back.
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

/// A vector of one value per element of an axis, with ones around it.
Value along_axis(Recipe& r, Value v, Value x, int64_t axis, bool special_zero) {
  if (v.shape().empty()) return v;
  std::vector<int64_t> shape(x.shape().size(), 1);
  shape.at(static_cast<size_t>(axis)) = x.shape().at(static_cast<size_t>(axis));
  const Value pattern = r.list_i64(shape);
  return r.reshape(v, pattern, special_zero);
}

std::vector<Value> dequantize(Recipe& r, Value x, Value scale, Value zero) {
  const Value real = r.convert(x, ElementType::f32);
  const Value shifted = r.binary("Subtract", real, zero);
  return {r.binary("Multiply", shifted, scale)};
}

Value real_zero_point(Recipe& r) {
  return r.has_input(2) ? r.convert(r.input(2), ElementType::f32) : r.filled(ElementType::f32, {}, 0);
}

std::vector<Value> dequantize_10(Recipe& r) {
  const Value x = r.input(0), scale = r.input(1);
  return dequantize(r, x, scale, real_zero_point(r));
}

std::vector<Value> dequantize_13(Recipe& r) {
  const Value x = r.input(0);
  Value scale = r.input(1), zero = real_zero_point(r);
  const int64_t axis = r.axis(r.integer("axis", 1), r.rank(x));
  scale = along_axis(r, scale, x, axis, true);
  zero = along_axis(r, zero, x, axis, true);
  return dequantize(r, x, scale, zero);
}

/// The real values that the ends of the integer range stand for.
std::vector<Value> quantize(Recipe& r, Value x, Value scale, Value zero) {
  const bool is_signed = zero.type() == ElementType::i8;
  if (!is_signed && zero.type() != ElementType::u8)
    r.refuse("\"y_zero_point\" input data for QuantizeLinear operator must be one of the supported types: u8 or i8");
  const Value low = r.filled(x.type(), {1}, is_signed ? -128 : 0),
              high = r.filled(x.type(), {1}, is_signed ? 127 : 255);
  const Value shift = r.convert(zero, x.type());
  const Value low_offset = r.binary("Subtract", low, shift), input_low = r.binary("Multiply", scale, low_offset);
  const Value high_offset = r.binary("Subtract", high, shift), input_high = r.binary("Multiply", scale, high_offset);
  const Value rounded =
      r.make("FakeQuantize", {x, input_low, input_high, low, high}, attributes({{"levels", int64_t{256}}}));
  return {r.convert(rounded, zero.type())};
}

Value zero_point(Recipe& r) { return r.has_input(2) ? r.input(2) : r.filled(ElementType::u8, {1}, 0); }

std::vector<Value> quantize_10(Recipe& r) {
  const Value x = r.input(0), scale = r.input(1);
  return quantize(r, x, scale, zero_point(r));
}

std::vector<Value> quantize_13(Recipe& r) {
  const Value x = r.input(0);
  Value scale = r.input(1), zero = zero_point(r);
  const int64_t axis = scale.shape().empty() && zero.shape().empty() ? 0 : r.axis(r.integer("axis", 1), r.rank(x));
  scale = along_axis(r, scale, x, axis, false);
  zero = along_axis(r, zero, x, axis, false);
  return quantize(r, x, scale, zero);
}

constexpr Row kRows[] = {{"DequantizeLinear", 1, dequantize_10},
                         {"DequantizeLinear", 13, dequantize_13},
                         {"QuantizeLinear", 1, quantize_10},
                         {"QuantizeLinear", 13, quantize_13}};

}  // namespace

std::span<const Row> quantization_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
