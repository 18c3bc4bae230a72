// Normalisations by norms and mean squares.
#include <algorithm>

#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {
namespace {

/// Axes of the input, counted from the front, in order.
std::vector<int64_t> normalised_axes(Layer& l) {
  std::vector<int64_t> axes{-1};
  const auto it = l.config().find("axis");
  if (it != l.config().end() && it->is_number_integer()) axes = {it->get<int64_t>()};
  if (it != l.config().end() && it->is_array()) axes = it->get<std::vector<int64_t>>();
  for (int64_t& a : axes) a = l.c.axis(a, l.c.rank());
  std::ranges::sort(axes);
  return axes;
}

/// x / |x|
std::vector<Value> unit_normalization(Layer& l) {
  constexpr double kLeast = 1e-12;  // of a square, as Keras has it
  const Value square = l.apply("Square", {l.x()}, {}, "/Square"), axes = l.integers_value(normalised_axes(l), "/axes");
  const Value sum = l.apply("Sum", {square, axes}, {{"keep_dims", flag_attribute(true)}}, "/Sum");
  const Value guarded = l.apply("Maximum", {sum, l.number(kLeast, "/y")}, {}, "/Maximum");
  return {l.apply("Mul", {l.x(), l.apply("Rsqrt", {guarded}, {}, "/Rsqrt")})};
}

/// x / sqrt(mean of squares + eps) · scale
std::vector<Value> rms_normalization(Layer& l) {
  const Value square = l.apply("Square", {l.x()}, {}, "/Square"), axes = l.integers_value(normalised_axes(l), "/axes");
  const Value mean = l.apply("Mean", {square, axes}, {{"keep_dims", flag_attribute(true)}}, "/Mean");
  const Value guarded = l.apply("AddV2", {mean, l.number(l.real("epsilon", 1e-6), "/epsilon")}, {}, "/add");
  const Value normal = l.apply("Mul", {l.x(), l.apply("Rsqrt", {guarded}, {}, "/Rsqrt")}, {}, "/mul");
  Tensor scale = l.weight("scale", 0);
  scale.shape = Shape(static_cast<size_t>(l.c.rank()), 1);
  const std::vector<int64_t> axes_scaled = normalised_axes(l);
  for (const int64_t a : axes_scaled) scale.shape[static_cast<size_t>(a)] = l.x().shape()[static_cast<size_t>(a)];
  if (element_count(scale.shape) != element_count(l.weight("scale", 0).shape))
    l.refuse("its scale has the shape " + to_string(l.weight("scale", 0).shape));
  return {l.apply("Mul", {normal, l.constant(scale, "/scale")})};
}

constexpr LayerRow kOperators[] = {
    {"UnitNormalization", "Mul", unit_normalization},
    {"RMSNormalization", "Mul", rms_normalization},
};

}  // namespace

std::span<const LayerRow> norm_layers() { return kOperators; }

}  // namespace blobsmith::keras_import
