// Activations with parameters.
#include <cmath>
#include <limits>

#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<Value> leaky_relu(Recipe& r) {
  const Value x = r.input(0);
  const float alpha = r.real("alpha", 0.01f);
  if (alpha < 0 || alpha > 1) r.refuse(" alpha value should be in range (0,1)");
  const Value slope = r.filled(x.type(), {}, static_cast<double>(alpha));
  return {r.make("PRelu", {x, slope})};
}

std::vector<Value> elu(Recipe& r) {
  return {r.make("Elu", {r.input(0)}, attributes({{"alpha", static_cast<double>(r.real("alpha", 1))}}))};
}

std::vector<Value> two_constants(Recipe& r, const char* type, const char* first, float first_default,
                                 const char* second, float second_default) {
  const Value x = r.input(0);
  const Value a = r.filled(x.type(), {}, static_cast<double>(r.real(first, first_default)));
  const Value b = r.filled(x.type(), {}, static_cast<double>(r.real(second, second_default)));
  return {r.make(type, {x, a, b})};
}
std::vector<Value> selu(Recipe& r) {
  return two_constants(r, "Selu", "alpha", 1.67326319217681884765625f, "gamma", 1.05070102214813232421875f);
}
std::vector<Value> hard_sigmoid(Recipe& r) { return two_constants(r, "HardSigmoid", "alpha", 0.2f, "beta", 0.5f); }

std::vector<Value> thresholded_relu(Recipe& r) {
  const Value x = r.input(0);
  const Value threshold = r.filled(x.type(), {}, static_cast<double>(r.real("alpha", 1)));
  const Value above = r.binary("Greater", x, threshold);
  const Value mask = r.convert(above, x.type());
  return {r.binary("Multiply", x, mask)};
}

/// (x < -lambda) * (x + bias) + (x > lambda) * (x - bias)
std::vector<Value> shrink(Recipe& r) {
  const Value x = r.input(0);
  const auto bias = static_cast<double>(r.real("bias", 0)), lambda = static_cast<double>(r.real("lambd", 0.5f));
  if (lambda < 0) r.refuse(" The provided 'lambd' value: " + std::to_string(lambda) + " must not be negative.");
  const Value low = r.filled(x.type(), {}, -lambda), high = r.filled(x.type(), {}, lambda),
              shift = r.filled(x.type(), {}, bias);
  const Value below = r.binary("Less", x, low), above = r.binary("Greater", x, high);
  const Value below_mask = r.convert(below, x.type()), above_mask = r.convert(above, x.type());
  const Value lowered = r.binary("Subtract", x, shift), raised = r.binary("Add", x, shift);
  const Value upper = r.binary("Multiply", above_mask, lowered), lower = r.binary("Multiply", below_mask, raised);
  return {r.binary("Add", lower, upper)};
}

std::vector<Value> softsign(Recipe& r) {
  const Value x = r.input(0);
  const Value one = r.filled(x.type(), {}, 1);
  const Value magnitude = r.make("Abs", {x});
  const Value divisor = r.binary("Add", magnitude, one);
  return {r.binary("Divide", x, divisor)};
}

std::vector<Value> clip_1(Recipe& r) {
  const auto bound = [&](const char* a, double fallback) {
    return r.has(a) ? static_cast<double>(r.real(a, 0)) : fallback;
  };
  constexpr double kLargest = std::numeric_limits<double>::max();
  return {
      r.make("Clamp", {r.input(0)}, attributes({{"min", bound("min", -kLargest)}, {"max", bound("max", kLargest)}}))};
}

/// The bound of a clip that the model leaves out: the end of the type's range.
Value range_end(Recipe& r, ElementType type, bool upper) {
  if (is_float(type)) return r.filled(type, {}, upper ? kInfinity : -kInfinity);
  const int bits = bit_width(type);
  const bool is_signed =
      type == ElementType::i8 || type == ElementType::i16 || type == ElementType::i32 || type == ElementType::i64;
  if (bits == 64) {
    const int64_t limit = upper       ? (is_signed ? std::numeric_limits<int64_t>::max() : -1)
                          : is_signed ? std::numeric_limits<int64_t>::min()
                                      : 0;
    return r.constant(Tensor::of(type, {}, std::vector<int64_t>{limit}));
  }
  const double range = std::ldexp(1, is_signed ? bits - 1 : bits);
  return r.filled(type, {}, upper ? range - 1 : is_signed ? -range : 0);
}

std::vector<Value> clip_11(Recipe& r) {
  const Value x = r.input(0);
  const Value low = r.has_input(1) ? r.input(1) : range_end(r, x.type(), false);
  const Value high = r.has_input(2) ? r.input(2) : range_end(r, x.type(), true);
  const Value raised = r.binary("Maximum", low, x);
  return {r.binary("Minimum", high, raised)};
}

constexpr Row kRows[] = {
    {"LeakyRelu", 1, leaky_relu},
    {"Elu", 1, elu},
    {"Selu", 1, selu},
    {"HardSigmoid", 1, hard_sigmoid},
    {"ThresholdedRelu", 1, thresholded_relu},
    {"Shrink", 1, shrink},
    {"Softsign", 1, softsign},
    {"Clip", 1, clip_1},
    {"Clip", 11, clip_11},
};

}  // namespace

std::span<const Row> activation_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
