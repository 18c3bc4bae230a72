// QuantizeLinear and DequantizeLinear. Model Optimizer makes a FakeQuantize of a pair, which the VPU lacks: the left
// column spells them out in real numbers; quantized constants become the constants that they stand for.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>

#include "graph/ops/known_value.hpp"
#include "importers/model_optimizer/rewrites.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/onnx/quantized_steps.hpp"
#include "importers/onnx/window.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

bool has_sixteen_bits(ElementType type) { return type == ElementType::u16 || type == ElementType::i16; }
void refuse_sixteen_bits(Context& c, size_t zero) {
  if (has_sixteen_bits(c.input(zero).type())) c.refuse("its numbers have 16 bits");
}

}  // namespace

std::vector<float> fitting_scales(Context& c, const Tensor& stated, size_t zero) {
  std::vector<float> scales = stated.to_f32();
  const bool all_finite = std::ranges::all_of(scales, [](float v) { return std::isfinite(v); });
  if (!all_finite)
    c.refuse(
        "its scale is not finite: infinities, as those of an attention mask, were quantized; quantize without this "
        "layer, or convert with --strip-quant");
  const ElementType type = c.has_input(zero) ? c.input(zero).type() : ElementType::u8;
  const Tensor* stated_zero = c.has_input(zero) ? c.constant(zero) : nullptr;
  const bool is_fine = has_sixteen_bits(type);
  if ((c.has_input(zero) && !stated_zero) || (type != ElementType::u8 && type != ElementType::i8 && !is_fine))
    return scales;
  const std::vector<float> zeros = stated_zero ? stated_zero->to_f32() : std::vector<float>{0};
  const double low = type == ElementType::i8    ? -128
                     : type == ElementType::i16 ? -32768
                                                : 0,
               high = low + (is_fine ? 65535 : 255);
  bool limited = false;
  for (size_t i = 0; i < scales.size(); ++i) {
    const auto z = static_cast<double>(zeros[zeros.size() == scales.size() ? i : 0]);
    const double steps = std::max(std::fabs(low - z), std::fabs(high - z)),
                 end = steps * static_cast<double>(scales[i]);
    if (const double fits = model_optimizer::within_half(end); fits != end) {
      scales[i] = static_cast<float>(fits / steps);
      limited = true;
    }
  }
  if (limited) c.note("its scale, whose numbers FP16 does not hold, becomes the largest that serves");
  return scales;
}

Value fitting_scale(Context& c, Steps& s, size_t scale, size_t zero) {
  const Tensor* t = c.constant(scale);
  return t ? s.reals(t->shape, fitting_scales(c, *t, zero)) : s.convert(c.input(scale), ElementType::f32);
}

Value unquantized(Context& c, Steps& s, size_t x, size_t scale, size_t zero) {
  c.want_rounding(x);
  if (c.has_input(zero)) refuse_sixteen_bits(c, zero);
  Value v = s.convert(c.input(x), ElementType::f32);
  if (c.has_input(zero)) v = s.subtract(v, s.convert(c.input(zero), ElementType::f32));
  return s.multiply(v, fitting_scale(c, s, scale, zero));
}

Value quantized(Context& c, Steps& s, Value x, size_t scale, size_t zero) {
  const bool is_signed = c.has_input(zero) && c.input(zero).type() == ElementType::i8;
  Value q = s.round(s.divide(x, fitting_scale(c, s, scale, zero)));
  if (c.has_input(zero)) q = s.add(q, s.convert(c.input(zero), ElementType::f32));
  return s.clamp(q, is_signed ? -128 : 0, is_signed ? 127 : 255);
}

namespace {

/// In single precision, so that numbers of different types meet.
Value real(Context& c, Value v, const std::string& suffix) {
  if (v.type() == ElementType::f32) return v;
  return c.make("Convert", {v}, attributes({{"destination_type", std::string("f32")}}), Context::kNewest, suffix);
}

constexpr size_t kScale = 1, kZeroPoint = 2;
constexpr double kLargestHalf = 65504, kLargestByte = 255;

/// A scale or zero point that broadcasts against x: one value, or a constant for each element of the axis.
Value along_axis(Context& c, size_t input, Value x) {
  const Tensor* t = c.constant(input);
  if (!t && element_count(c.input(input).shape()) == 1)
    return real(c, c.input(input), "/real_" + std::to_string(input));
  if (!t) c.refuse("its scale or zero point is not a constant");
  const std::vector<float> values = input == kScale ? fitting_scales(c, *t, kZeroPoint) : t->to_f32();
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
  if (!t) return true;
  for (float v : t->to_f32())
    if (v != 0) return true;
  return false;
}

/// The real numbers that the ends of the integers stand for.
std::pair<double, double> range_of_sixteen_bits(Context& c) {
  const Tensor *scale = c.constant(kScale), *zero = c.constant(kZeroPoint);
  if (!scale || !zero || element_count(scale->shape) != 1 || element_count(zero->shape) != 1)
    c.refuse("its scale or zero point of 16 bits is not one constant");
  const auto step = static_cast<double>(fitting_scales(c, *scale, kZeroPoint)[0]);
  const double lowest = zero->type == ElementType::i16 ? -32768 : 0, z = static_cast<double>(zero->to_f32()[0]);
  return {(lowest - z) * step, (lowest + 65535 - z) * step};
}

/// Numbers of 16 bits have more digits than FP16, so that they are not rounded: they stay real, within their range.
std::vector<Value> quantize_finely(Context& c) {
  if (c.is_network_output(0)) c.refuse("its integers of 16 bits are an output: leave them real numbers");
  const auto [low, high] = range_of_sixteen_bits(c);
  c.note("its numbers of 16 bits, which have more digits than FP16, are limited but not rounded");
  return {c.make("Clamp", {c.input(0)}, attributes({{"min", low}, {"max", high}}))};
}

/// v holds what quantize_finely made within this range, moved at most.
bool is_within(Value v, double low, double high, int depth = 0) {
  constexpr int kFarthest = 16;
  constexpr std::string_view kMoves[] = {"Reshape", "Transpose",     "Squeeze",      "Unsqueeze", "Gather",
                                         "Split",   "VariadicSplit", "StridedSlice", "Concat",    "MaxPool"};
  const Node& n = *v.node;
  if (n.is_constant())
    return std::ranges::all_of(n.constant.to_f32(),
                               [&](float x) { return x >= static_cast<float>(low) && x <= static_cast<float>(high); });
  if (n.is("Clamp")) return n.attrs.real("min") == low && n.attrs.real("max") == high;
  if (depth > kFarthest || std::ranges::find(kMoves, n.type) == std::end(kMoves)) return false;
  for (int i = 0; i < (n.is("Concat") ? n.input_count() : 1); ++i)
    if (!is_within(n.input(i), low, high, depth + 1)) return false;
  return true;
}

std::vector<Value> dequantize_finely(Context& c) {
  const auto [low, high] = range_of_sixteen_bits(c);
  if (!is_within(c.input(0), low, high))
    c.refuse("its numbers of 16 bits are not quantized with its scale and zero point");
  return {c.input(0)};
}

/// Clamp(round(x / scale) + zero): the integer as a real number.
std::vector<Value> quantize(Context& c) {
  const ElementType type = c.has_input(2) ? c.input(2).type() : ElementType::u8;
  const int64_t output = c.integer("output_dtype", 0);
  if (output != 0 && output != onnx_file::type_number(type)) c.refuse("its output_dtype is not that of its zero point");
  if (has_sixteen_bits(type) && !(c.strips_quantization() && !known_value(c.input(0)))) return quantize_finely(c);
  if (!has_sixteen_bits(type) && type != ElementType::u8 && type != ElementType::i8)
    c.refuse("its zero point is neither UINT8 nor INT8");
  const Value x = c.input(0);
  if (c.strips_quantization() && !known_value(x)) return {x};
  const Value inverse = c.binary("Power", along_axis(c, 1, x), -1, "/inverse");
  Value q = c.make("Round", {c.binary("Multiply", x, inverse, "/scaled")},
                   attributes({{"mode", std::string("half_to_even")}}), 5, "/rounded");
  if (has_zero_point(c)) q = c.binary("Add", q, along_axis(c, 2, x), "/shifted");
  const bool is_signed = type == ElementType::i8;
  return {c.make("Clamp", {q}, attributes({{"min", is_signed ? -128.0 : 0.0}, {"max", is_signed ? 127.0 : 255.0}}))};
}

/// Constants with a scale, and a zero point, for each block of an axis.
std::vector<Value> dequantize_blocks(Context& c, Value x) {
  const Tensor *q = transforms::constant_of(x), *scale = c.constant(kScale),
               *zero = c.has_input(kZeroPoint) ? c.constant(kZeroPoint) : nullptr;
  if (!q || !scale || (c.has_input(kZeroPoint) && !zero)) c.refuse("its blocks are not constants");
  const Shape shape = q->shape;
  const auto axis = static_cast<size_t>(c.axis(c.integer("axis", 1), static_cast<int64_t>(shape.size())));
  const int64_t block = std::clamp<int64_t>(c.integer("block_size", 0), 1, std::max<int64_t>(shape[axis], 1)),
                blocks = (shape[axis] + block - 1) / block;
  Shape of_blocks = shape;
  of_blocks[axis] = blocks;
  if (scale->shape != of_blocks || (zero && zero->shape != of_blocks))
    c.refuse("its scale or zero point has the shape " + to_string(scale->shape));
  std::vector<float> values = q->to_f32();
  const std::vector<float> scales = scale->to_f32(),
                           zeros = zero ? zero->to_f32() : std::vector<float>(scales.size(), 0);
  int64_t behind = 1;
  for (size_t a = axis + 1; a < shape.size(); ++a) behind *= shape[a];
  for (size_t i = 0; i < values.size(); ++i) {
    const auto at = static_cast<int64_t>(i), row = at / behind / shape[axis], place = at / behind % shape[axis];
    const auto of = static_cast<size_t>((row * blocks + place / block) * behind + at % behind);
    values[i] = (values[i] - zeros[of]) * scales[of];
  }
  return {c.graph().constant(Tensor::of(ElementType::f32, shape, values), c.name())->value()};
}

/// (x - zero) * scale
std::vector<Value> dequantize(Context& c) {
  if (c.strips_quantization() && is_float(c.input(0).type()) && !known_value(c.input(0))) return {c.input(0)};
  Value x = real(c, c.input(0), "/Cast");
  if (c.integer("block_size", 0) > 0) return dequantize_blocks(c, x);
  if (c.has_input(2) && has_sixteen_bits(c.input(2).type()) && is_float(c.input(0).type())) return dequantize_finely(c);
  if (has_zero_point(c)) x = c.binary("Subtract", x, along_axis(c, 2, x), "/Sub");
  return {c.binary("Multiply", x, along_axis(c, 1, x))};
}

// ---- products of quantized numbers ----------------------------------------------------------------------------------

/// A scale or zero point as one value, or one for each element of axis `axis` of a tensor of this rank.
Value along(Steps& s, Value v, size_t rank, size_t axis) {
  const int64_t count = element_count(v.shape());
  Shape shape(rank, 1);
  if (count > 1) shape[axis] = count;
  return s.reshape(v, shape);
}
Value per_axis(Context& c, Steps& s, size_t input, size_t rank, size_t axis) {
  return along(s, real(c, c.input(input), "/real_" + std::to_string(input)), rank, axis);
}
/// A scale with its zero point behind it.
Value scale_along(Context& c, Steps& s, size_t input, size_t rank, size_t axis) {
  return along(s, fitting_scale(c, s, input, input + 1), rank, axis);
}

/// input - zero point, in real numbers, times a scale where there is one.
Value real_of(Context& c, Steps& s, size_t input, size_t zero, size_t axis, const Value* scale = nullptr) {
  const Value x = c.input(input);
  c.want_rounding(input);
  if (c.has_input(zero)) refuse_sixteen_bits(c, zero);
  const size_t rank = x.shape().size();
  Value v = real(c, x, "/real_" + std::to_string(input));
  if (c.has_input(zero)) v = s.subtract(v, per_axis(c, s, zero, rank, axis));
  return scale ? s.multiply(v, *scale) : v;
}

/// round(x) + zero point, cut off at the ends of the type; `zero` is the input that states both.
Value to_quantized(Context& c, Steps& s, Value x, size_t zero) {
  const ElementType type = c.has_input(zero) ? c.input(zero).type() : ElementType::u8;
  if (type != ElementType::u8 && type != ElementType::i8) c.refuse("its zero point is neither UINT8 nor INT8");
  const bool is_signed = type == ElementType::i8;
  Value q = s.round(x);
  if (c.has_input(zero)) q = s.add(q, per_axis(c, s, zero, x.shape().size(), 1));
  return s.clamp(q, is_signed ? -128 : 0, is_signed ? 127 : 255);
}

/// Sums of constant weights times bytes must fit in FP16.
void check_sums(Context& c, Value weights, int64_t terms, int64_t outputs, bool outputs_first) {
  const Tensor* t = transforms::constant_of(weights);
  if (!t) return;
  const std::vector<float> w = t->to_f32();
  double largest = 0;
  for (int64_t o = 0; o < outputs; ++o) {
    double sum = 0;
    for (int64_t i = 0; i < terms; ++i) {
      const int64_t at = outputs_first ? o * terms + i : i * outputs + o;
      if (at < static_cast<int64_t>(w.size())) sum += std::fabs(static_cast<double>(w[static_cast<size_t>(at)]));
    }
    largest = std::max(largest, sum);
  }
  if (largest * kLargestByte > kLargestHalf)
    c.refuse("its sums of integers leave the range of FP16; export the model without quantization");
}

constexpr size_t kFirstFactor = 4;  ///< of give_products_their_scales

/// What remains of the factors of a product's sums when the operands have taken theirs: constants the second, which has
/// its outputs along `axis`, numbers that are computed one for each operand.
struct FactoredProduct {
  Value a, b;
  std::vector<Value> behind;

  FactoredProduct(Context& c, Steps& s, Value first, Value second, size_t axis, size_t outputs_behind)
      : a(first), b(second) {
    bool a_has_one = false;
    for (size_t i = kFirstFactor; i < c.input_count(); ++i) {
      const Value f = c.input(i);
      const Shape& shape = f.shape();
      const int64_t count = element_count(shape);
      const bool is_known = transforms::constant_of(f) != nullptr;
      const bool is_of_outputs = shape.size() > outputs_behind && shape[shape.size() - 1 - outputs_behind] == count &&
                                 b.shape()[axis] == count;
      if (count == 1 && !is_known && !a_has_one) {
        a = s.multiply(a, s.reshape(f, Shape(a.shape().size(), 1)));
        a_has_one = true;
      } else if (count == 1 || (is_known && is_of_outputs)) {
        b = s.multiply(b, along(s, f, b.shape().size(), axis));
      } else {
        behind.push_back(f);
      }
    }
  }

  std::vector<Value> done(Steps& s, Value y) const {
    for (const Value f : behind) y = s.multiply(y, f);
    return {s.done(y)};
  }
};

/// input - zero point, where factors follow the product. What was not rounded, by --strip-quant, has 1 and 0 for them.
Value operand(Context& c, Steps& s, size_t input, size_t zero, size_t axis) {
  const auto z = c.has_input(zero) ? known_value(c.input(zero)) : std::nullopt;
  if (is_float(c.input(input).type()) && c.strips_quantization() && z && z->to_f32() == std::vector<float>{0}) {
    for (size_t i = kFirstFactor; i < c.input_count(); ++i)
      if (const auto f = known_value(c.input(i)); f && f->to_f32() == std::vector<float>{1}) return c.input(input);
  }
  return real_of(c, s, input, zero, axis);
}

/// The product in integers, where they are few enough; else in real numbers.
std::vector<Value> mat_mul_integer(Context& c) {
  Steps s(c);
  constexpr int64_t kMostProducts = int64_t{1} << 20;
  const Shape a = c.input(0).shape(), b = c.input(1).shape();
  if (a.size() < 2 || b.size() < 2 || !is_static(a) || !is_static(b))
    c.refuse("its inputs have the shapes " + to_string(a) + " and " + to_string(b));
  const size_t rows = a.size() - 2, columns = b.size() - 1;
  if (c.input_count() > kFirstFactor) {
    const FactoredProduct p(c, s, operand(c, s, 0, 2, rows), operand(c, s, 1, 3, columns), columns, 0);
    return p.done(s, s.product(p.a, p.b));
  }
  if (!is_float(c.input(0).type()) && !is_float(c.input(1).type()) && element_count(a) * b.back() <= kMostProducts) {
    const auto whole = [&](size_t input, size_t zero, size_t rank, size_t axis) {
      const Value v = s.convert(c.input(input), ElementType::i32);
      if (!c.has_input(zero)) return v;
      const Value z = s.convert(c.input(zero), ElementType::i32);
      Shape shape(rank, 1);
      if (element_count(z.shape()) > 1) shape[axis] = element_count(z.shape());
      return s.subtract(v, s.reshape(z, shape));
    };
    return {s.done(s.product(whole(0, 2, a.size(), rows), whole(1, 3, b.size(), columns)))};
  }
  const Value weights = real_of(c, s, 1, 3, columns);
  check_sums(c, weights, b[b.size() - 2], b.back(), false);
  return {s.done(s.product(real_of(c, s, 0, 2, rows), weights))};
}

Attributes window_attributes(const WindowAttributes& w) {
  return attributes({{"strides", w.strides},
                     {"dilations", w.dilations},
                     {"pads_begin", w.pads_begin},
                     {"pads_end", w.pads_end},
                     {"auto_pad", w.auto_pad}});
}

Value convolution(Context& c, Steps& s, Value x, Value w) {
  const Attributes a = window_attributes(read_window_attributes(c, spatial_axes(c, x)));
  const int64_t groups = c.integer("group", 1);
  if (groups < 1 || w.shape()[0] % groups != 0) c.refuse("group is " + std::to_string(groups));
  if (groups == 1) return s.make("Convolution", {x, w}, a);
  Shape parts = w.shape();
  parts[0] /= groups;
  parts.insert(parts.begin(), groups);
  return s.make("GroupConvolution", {x, s.reshape(w, parts)}, a);
}

std::vector<Value> conv_integer(Context& c) {
  Steps s(c);
  if (c.input_count() > kFirstFactor) {
    const FactoredProduct p(c, s, operand(c, s, 0, 2, 1), real_of(c, s, 1, 3, 0), 0, c.input(1).shape().size() - 2);
    return p.done(s, convolution(c, s, p.a, p.b));
  }
  const Value w = real_of(c, s, 1, 3, 0);
  const int64_t outputs = w.shape().at(0);
  check_sums(c, w, element_count(w.shape()) / outputs, outputs, true);
  return {s.done(convolution(c, s, real_of(c, s, 0, 2, 1), w))};
}

/// Scales of the second operand and the result are one factor of it: constants then, as weights are.
std::vector<Value> q_linear_mat_mul(Context& c) {
  Steps s(c);
  const size_t ra = c.input(0).shape().size(), rb = c.input(3).shape().size();
  if (ra < 2 || rb < 2) c.refuse("its inputs have fewer than two dimensions");
  const Value a_scale = scale_along(c, s, 1, ra, ra - 2);
  const Value b_scale = s.divide(scale_along(c, s, 4, rb, rb - 1), scale_along(c, s, 6, 1, 0));
  const Value y = s.product(real_of(c, s, 0, 2, ra - 2, &a_scale), real_of(c, s, 3, 5, rb - 1, &b_scale));
  return {s.done(to_quantized(c, s, y, 7))};
}

std::vector<Value> q_linear_conv(Context& c) {
  Steps s(c);
  const size_t rank = c.input(0).shape().size();
  const Value x_scale = scale_along(c, s, 1, rank, 1);
  const Value w_scale = s.divide(scale_along(c, s, 4, rank, 0), scale_along(c, s, 6, 1, 0));
  Value y = convolution(c, s, real_of(c, s, 0, 2, 1, &x_scale), real_of(c, s, 3, 5, 0, &w_scale));
  if (c.has_input(8)) {
    Shape shape(rank, 1);
    shape[1] = element_count(c.input(8).shape());
    const Value bias = s.reshape(real(c, c.input(8), "/bias"), shape);
    const Value scale =
        s.multiply(s.reshape(w_scale, element_count(w_scale.shape()) > 1 ? shape : Shape(rank, 1)), x_scale);
    y = s.add(y, s.multiply(bias, scale));
  }
  return {s.done(to_quantized(c, s, y, 7))};
}

/// To the bytes 0..255 by the smallest and the largest value, 0 among them. Nothing but zeros is divided by the least
/// normal number of FP16.
std::vector<Value> dynamic_quantize(Context& c) {
  Steps s(c);
  const Value x = c.input(0);
  if (c.strips_quantization() && !known_value(x)) return {x, s.reals({}, {1}), s.reals({}, {0})};
  constexpr double kLeastRange = 0x1p-14;
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < c.rank(); ++i) axes.push_back(i);
  const Value low = s.minimum(s.reduce("ReduceMin", x, axes, false), 0);
  const Value high = s.maximum(s.reduce("ReduceMax", x, axes, false), 0);
  const Value range = s.subtract(high, low), inverse = s.power(s.maximum(range, kLeastRange), -1);
  const auto steps = [&](Value v) { return s.round(s.multiply(s.multiply(v, inverse), kLargestByte)); };
  const Value zero = s.clamp(steps(s.multiply(low, -1)), 0, kLargestByte);
  const Value y = s.clamp(s.add(steps(x), zero), 0, kLargestByte);
  return {s.done(y), s.multiply(range, 1 / kLargestByte), zero};
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
    {"DynamicQuantizeLinear", 11, "Clamp", mo::dynamic_quantize, nullptr},
    {"MatMulInteger", 10, "MatMul", mo::mat_mul_integer, nullptr},
    {"ConvInteger", 10, "Convolution", mo::conv_integer, nullptr},
    {"QLinearMatMul", 10, "MatMul", mo::q_linear_mat_mul, nullptr},
    {"QLinearConv", 10, "Convolution", mo::q_linear_conv, nullptr},
    {"QuantizeLinear", 1, "Clamp", mo::quantize, ie::quantize_10},
    {"QuantizeLinear", 13, "Clamp", mo::quantize, ie::quantize_13},
};

}  // namespace

std::span<const OperatorRow> quantization_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
