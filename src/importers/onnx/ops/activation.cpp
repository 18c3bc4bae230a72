// Activations with parameters, or that are spelled out of other operations.
#include <cmath>
#include <limits>

#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

std::vector<Value> leaky_relu(Context& c) {
  const Value x = c.input(0);
  return {c.make("PRelu", {x, c.number_constant(x.type(), {1}, c.real("alpha", 0.01f))})};
}

std::vector<Value> elu(Context& c) {
  return {c.make("Elu", {c.input(0)}, attributes({{"alpha", c.real("alpha", 1)}}))};
}

/// No operator of Model Optimizer, and the VPU lacks Selu: gamma * Elu(x).
std::vector<Value> selu(Context& c) {
  const Value elu = c.make("Elu", {c.input(0)}, attributes({{"alpha", c.real("alpha", 1.67326319217681884765625f)}}),
                           Context::kNewest, "/elu");
  return {c.binary("Multiply", elu, c.real("gamma", 1.05070102214813232421875f))};
}

std::vector<Value> hard_sigmoid(Context& c) {
  const Value x = c.input(0);
  const Value y = c.make("HardSigmoid",
                         {x, c.number_constant(x.type(), {}, c.real("alpha", 0.2f)),
                          c.number_constant(x.type(), {}, c.real("beta", 0.5f))},
                         {}, Context::kNewest, "/HardSigmoid_");
  return {y};
}

/// A bound as an attribute or an input; `none` when there is neither.
double clip_bound(Context& c, const char* attribute, size_t input, double none) {
  if (c.opset() < 11) return c.has(attribute) ? c.real(attribute, 0) : none;
  const Tensor* t = c.constant(input);
  return t && element_count(t->shape) == 1 ? static_cast<double>(t->to_f32()[0]) : none;
}

std::vector<Value> clip(Context& c) {
  const Value x = c.input(0);
  constexpr double kLowest = std::numeric_limits<float>::lowest(), kLargest = std::numeric_limits<float>::max();
  const bool inputs = c.opset() >= 11;
  const bool both_constant = !inputs || (c.constant(1) && c.constant(2));
  if (both_constant)
    return {
        c.make("Clamp", {x},
               attributes({{"min", clip_bound(c, "min", 1, kLowest)}, {"max", clip_bound(c, "max", 2, kLargest)}}))};
  Value y = x;
  if (c.has_input(1)) y = c.make("Maximum", {y, c.input(1)}, {}, Context::kNewest, c.has_input(2) ? "/Max" : "");
  if (c.has_input(2)) y = c.make("Minimum", {y, c.input(2)});
  return {y};
}

std::vector<Value> thresholded_relu(Context& c) {
  const Value x = c.input(0);
  const Value above =
      c.make("Greater", {x, c.number_constant(x.type(), Shape(x.shape().size(), 1), c.real("alpha", 1))}, {},
             Context::kNewest, "/greater");
  const Value mask =
      c.make("Convert", {above}, attributes({{"destination_type", std::string("f32")}}), Context::kNewest, "/cast");
  return {c.make("Multiply", {x, mask})};
}

/// No operator of Model Optimizer: alpha * Elu(x / alpha).
std::vector<Value> celu(Context& c) {
  const double alpha = c.real("alpha", 1);
  if (!(alpha > 0)) c.refuse("alpha is not positive");
  const auto elu = [&](Value x, const std::string& suffix) {
    return c.make("Elu", {x}, attributes({{"alpha", 1.0}}), Context::kNewest, suffix);
  };
  if (alpha == 1) return {elu(c.input(0), "")};
  return {c.binary("Multiply", elu(c.binary("Multiply", c.input(0), 1 / alpha, "/scaled"), "/elu"), alpha)};
}

/// No operator of Model Optimizer: (x > lambda) * (x - bias) + (x < -lambda) * (x + bias).
std::vector<Value> shrink(Context& c) {
  const Value x = c.input(0);
  const double bias = c.real("bias", 0), lambda = c.real("lambd", 0.5f);
  if (!(lambda >= 0)) c.refuse("lambd is negative");
  if (bias == lambda)
    return {
        c.binary("Subtract", x,
                 c.make("Clamp", {x}, attributes({{"min", -lambda}, {"max", lambda}}), Context::kNewest, "/inside"))};
  const auto part = [&](const char* comparison, double sign, const std::string& suffix) {
    const Value beyond = c.binary(comparison, x, sign * lambda, suffix);
    const Value mask = c.make("Convert", {beyond}, attributes({{"destination_type", std::string("f32")}}),
                              Context::kNewest, suffix + "/cast");
    return c.binary("Multiply", bias == 0 ? x : c.binary("Add", x, -sign * bias, suffix + "/shifted"), mask,
                    suffix + "/part");
  };
  return {c.binary("Add", part("Greater", 1, "/above"), part("Less", -1, "/below"))};
}

std::vector<Value> softsign(Context& c) {
  const Value x = c.input(0);
  const Value one = c.make(
      "Add",
      {c.make("Abs", {x}, {}, Context::kNewest, "/abs"), c.number_constant(x.type(), Shape(x.shape().size(), 1), 1)},
      {}, Context::kNewest, "/plus_one");
  const Value reciprocal = c.make("Power", {one, c.number_constant(x.type(), Shape(x.shape().size(), 1), -1)}, {},
                                  Context::kNewest, "/reciprocal_");
  return {c.make("Multiply", {x, reciprocal})};
}

/// Either approximation: they differ by less than half a unit of FP16 at 1.
std::vector<Value> gelu(Context& c) { return {c.make("Gelu", {c.input(0)}, {}, 0)}; }

}  // namespace
}  // namespace mo

namespace ie {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<Value> leaky_relu(Context& c) {
  const Value x = c.input(0);
  const double alpha = c.real("alpha", 0.01f);
  const bool is_list = c.release().leaky_slope_is_list;
  if (!is_list && (alpha < 0 || alpha > 1)) c.refuse(" alpha value should be in range (0,1)");
  const Value slope = c.filled(x.type(), is_list ? Shape{1} : Shape{}, alpha);
  return {c.make("PRelu", {x, slope})};
}

std::vector<Value> elu(Context& c) {
  return {c.make("Elu", {c.input(0)}, attributes({{"alpha", c.real("alpha", 1)}}))};
}

std::vector<Value> two_constants(Context& c, const char* type, const char* first, float first_default,
                                 const char* second, float second_default) {
  const Value x = c.input(0);
  const Value a = c.filled(x.type(), {}, c.real(first, first_default));
  const Value b = c.filled(x.type(), {}, c.real(second, second_default));
  return {c.make(type, {x, a, b})};
}
std::vector<Value> selu(Context& c) {
  return two_constants(c, "Selu", "alpha", 1.67326319217681884765625f, "gamma", 1.05070102214813232421875f);
}
std::vector<Value> hard_sigmoid(Context& c) { return two_constants(c, "HardSigmoid", "alpha", 0.2f, "beta", 0.5f); }

std::vector<Value> thresholded_relu(Context& c) {
  const Value x = c.input(0);
  const Value threshold = c.filled(x.type(), {}, c.real("alpha", 1));
  const Value above = c.binary("Greater", x, threshold);
  const Value mask = c.convert(above, x.type());
  return {c.binary("Multiply", x, mask)};
}

/// (x < -lambda) * (x + bias) + (x > lambda) * (x - bias)
std::vector<Value> shrink(Context& c) {
  const Value x = c.input(0);
  const auto bias = c.real("bias", 0), lambda = c.real("lambd", 0.5f);
  if (lambda < 0) c.refuse(" The provided 'lambd' value: " + std::to_string(lambda) + " must not be negative.");
  const Value low = c.filled(x.type(), {}, -lambda), high = c.filled(x.type(), {}, lambda),
              shift = c.filled(x.type(), {}, bias);
  const Value below = c.binary("Less", x, low), above = c.binary("Greater", x, high);
  const Value below_mask = c.convert(below, x.type()), above_mask = c.convert(above, x.type());
  const Value lowered = c.binary("Subtract", x, shift), raised = c.binary("Add", x, shift);
  const Value upper = c.binary("Multiply", above_mask, lowered), lower = c.binary("Multiply", below_mask, raised);
  return {c.binary("Add", lower, upper)};
}

std::vector<Value> softsign(Context& c) {
  const Value x = c.input(0);
  const Value one = c.filled(x.type(), {}, 1);
  const Value magnitude = c.make("Abs", {x});
  const Value divisor = c.binary("Add", magnitude, one);
  return {c.binary("Divide", x, divisor)};
}

std::vector<Value> clip_1(Context& c) {
  const auto bound = [&](const char* a, double fallback) { return c.has(a) ? c.real(a, 0) : fallback; };
  constexpr double kLargest = std::numeric_limits<double>::max();
  return {
      c.make("Clamp", {c.input(0)}, attributes({{"min", bound("min", -kLargest)}, {"max", bound("max", kLargest)}}))};
}

double largest(ElementType real) {
  constexpr double kLargestHalf = 65504;
  if (real == ElementType::f16) return kLargestHalf;
  return real == ElementType::f64 ? std::numeric_limits<double>::max()
                                  : static_cast<double>(std::numeric_limits<float>::max());
}

/// The bound of a clip that the model leaves out: the end of the type's range.
Value range_end(Context& c, ElementType type, bool upper) {
  if (is_float(type)) {
    const double limit = c.release().finite_clip_bounds ? largest(type) : kInfinity;
    return c.filled(type, {}, upper ? limit : -limit);
  }
  const int bits = bit_width(type);
  const bool is_signed =
      type == ElementType::i8 || type == ElementType::i16 || type == ElementType::i32 || type == ElementType::i64;
  if (bits == 64) {
    const int64_t limit = upper       ? (is_signed ? std::numeric_limits<int64_t>::max() : -1)
                          : is_signed ? std::numeric_limits<int64_t>::min()
                                      : 0;
    return c.constant(Tensor::of(type, {}, std::vector<int64_t>{limit}));
  }
  const double range = std::ldexp(1, is_signed ? bits - 1 : bits);
  return c.filled(type, {}, upper ? range - 1 : is_signed ? -range : 0);
}

std::vector<Value> clip_11(Context& c) {
  const Value x = c.input(0);
  const Value low = c.has_input(1) ? c.input(1) : range_end(c, x.type(), false);
  const Value high = c.has_input(2) ? c.input(2) : range_end(c, x.type(), true);
  const Value raised = c.binary("Maximum", low, x);
  return {c.binary("Minimum", high, raised)};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"LeakyRelu", 1, "PRelu", mo::leaky_relu, ie::leaky_relu},
    {"Elu", 1, "Elu", mo::elu, ie::elu},
    {"Selu", 1, "Elu", mo::selu, ie::selu},
    {"Celu", 12, "Elu", mo::celu, nullptr},
    {"HardSigmoid", 1, "HardSigmoid", mo::hard_sigmoid, ie::hard_sigmoid},
    {"ThresholdedRelu", 1, "Multiply", mo::thresholded_relu, ie::thresholded_relu},
    {"Shrink", 1, "Multiply", mo::shrink, ie::shrink},
    {"Softsign", 1, "Multiply", mo::softsign, ie::softsign},
    {"Gelu", 1, "Gelu", mo::gelu, nullptr},
    {"Clip", 1, "Clamp", mo::clip, ie::clip_1},
    {"Clip", 11, "Clamp", mo::clip, ie::clip_11},
};

}  // namespace

std::span<const OperatorRow> activation_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
