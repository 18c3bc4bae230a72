// QuantizeLinear and DequantizeLinear. Model Optimizer makes a FakeQuantize of a pair, which the VPU lacks: they are
// spelled out here, in real numbers; quantized constants become the constants that they stand for.
#include "importers/onnx/mapper.hpp"

namespace blobsmith::onnx_import {
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
std::vector<Value> map_quantize(Context& c) {
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
std::vector<Value> map_dequantize(Context& c) {
  Value x = real(c, c.input(0), "/Cast");
  if (has_zero_point(c)) x = c.binary("Subtract", x, along_axis(c, 2, x), "/Sub");
  return {c.binary("Multiply", x, along_axis(c, 1, x))};
}

constexpr Mapper kMappers[] = {{"QuantizeLinear", map_quantize}, {"DequantizeLinear", map_dequantize}};

}  // namespace

std::span<const Mapper> quantization_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
