// Normalisations of each sample by itself: by mean and variance, norms, mean squares.
#include <algorithm>

#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {
namespace {

/// Axes of the input, counted from the front, in order: the last where none is stated.
std::vector<int64_t> normalised_axes(Layer& l) {
  const auto it = l.config().find("axis");
  const Json stated = it == l.config().end() ? Json() : it->is_array() ? *it : Json::array({*it});
  std::vector<int64_t> axes;
  for (const Json& j : stated) axes.push_back(l.c.axis(j.is_number() ? j.get<int64_t>() : -1, l.c.rank()));
  if (axes.empty()) axes.push_back(l.c.axis(-1, l.c.rank()));
  std::ranges::sort(axes);
  return axes;
}

/// (x - mean) / sqrt(variance + eps) of the last axes, times gamma, plus beta.
std::vector<Value> layer_normalization(Layer& l) {
  const std::vector<int64_t> axes = normalised_axes(l);
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != l.c.rank() - std::ssize(axes) + static_cast<int64_t>(i))
      l.refuse("it normalises axes " + to_string(axes));
  Value v = l.c.make(
      "MVN", {l.x(), l.integers_value(axes, "/axes")},
      tensorflow_import::attributes(
          {{"eps", l.real("epsilon", 1e-3)}, {"eps_mode", std::string("inside_sqrt")}, {"normalize_variance", true}}),
      6, "/MVN");
  const bool scale = l.flag("scale", true), centre = l.flag("center", true);
  if (scale) v = l.apply("Mul", {v, l.constant(l.weight("gamma", 0), "/gamma")}, {}, centre ? "/mul" : "");
  if (centre) v = l.apply("AddV2", {v, l.constant(l.weight("beta", scale ? 1 : 0), "/beta")});
  return {v};
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

/// Of Keras' ConvNeXt: x · gamma, along the last axis. Others may have layers of the same name.
std::vector<Value> layer_scale(Layer& l) {
  if (!l.config().contains("init_values") || !l.config().contains("projection_dim"))
    l.refuse("it is not the one of Keras' ConvNeXt");
  return {l.apply("Mul", {l.x(), l.constant(l.weight("gamma", 0), "/gamma")})};
}

constexpr LayerRow kOperators[] = {
    {"LayerScale", "Mul", layer_scale},
    {"LayerNormalization", "Mul", layer_normalization},
    {"UnitNormalization", "Mul", unit_normalization},
    {"RMSNormalization", "Mul", rms_normalization},
};

}  // namespace

std::span<const LayerRow> norm_layers() { return kOperators; }

}  // namespace blobsmith::keras_import
