// Resize and Upsample. Sizes and scales of static shapes are computed here, in single precision as Model Optimizer's
// sub-graph of Multiply, Add and Floor does (model-optimizer spec §5.2).
#include <cmath>

#include "core/float16.hpp"
#include "importers/onnx/mapper.hpp"

namespace blobsmith::onnx_import {
namespace {

struct Target {
  std::vector<float> scales;  ///< of every axis
  std::vector<int64_t> sizes;
  bool by_scales = true;
};

void check(Context& c, const Target& t) {
  const Shape& in = c.input(0).shape();
  if (in.size() < 3) c.refuse("its input has " + std::to_string(in.size()) + " dimensions");
  if (t.sizes.size() != in.size())
    c.refuse("it has " + std::to_string(t.sizes.size()) + " scales or sizes for " + std::to_string(in.size()) +
             " axes");
  for (size_t i = 0; i < in.size(); ++i)
    if (t.sizes[i] < 1 || t.sizes[i] > (int64_t{1} << 31) || (i < 2 && t.sizes[i] != in[i]))
      c.refuse("it resizes " + to_string(in) + " to " + to_string(t.sizes));
}

Target by_scales(Context& c, std::vector<float> scales, float epsilon) {
  const Shape& in = c.input(0).shape();
  Target t{std::move(scales), {}, true};
  for (size_t i = 0; i < t.scales.size() && i < in.size(); ++i) {
    const float size = std::floor(static_cast<float>(in[i]) * t.scales[i] + epsilon);
    if (!(size >= 1 && size < 2147483648.0f)) c.refuse("a scale is " + std::to_string(t.scales[i]));
    t.sizes.push_back(static_cast<int64_t>(size));
  }
  return t;
}

Target by_sizes(Context& c, std::vector<int64_t> sizes, float epsilon) {
  const Shape& in = c.input(0).shape();
  Target t{{}, std::move(sizes), false};
  for (size_t i = 0; i < t.sizes.size() && i < in.size(); ++i)
    t.scales.push_back(static_cast<float>(t.sizes[i]) / static_cast<float>(in[i]) + epsilon);
  return t;
}

std::string interpolation(Context& c) {
  const std::string mode = c.text("mode", "nearest");
  if (mode == "linear" || mode == "bilinear") return "linear_onnx";
  if (mode != "nearest" && mode != "cubic") c.refuse("mode is '" + mode + "'");
  return mode;
}

std::vector<Value> interpolate(Context& c, const Target& t, Attributes a) {
  check(c, t);
  a.set("mode", interpolation(c));
  a.set("shape_calculation_mode", std::string(t.by_scales ? "scales" : "sizes"));
  std::vector<int64_t> axes, sizes(t.sizes.begin() + 2, t.sizes.end());
  for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  // Scales stay in single precision, whatever the network's.
  const Tensor scales = Tensor::of(ElementType::f32, {static_cast<int64_t>(sizes.size())},
                                   std::vector<float>(t.scales.begin() + 2, t.scales.end()));
  return {c.make(
      "Interpolate",
      {c.input(0), c.integers_constant(sizes), c.graph().constant(scales)->value(), c.integers_constant(axes)}, a, 4)};
}

const Tensor& constant_scales(Context& c, size_t input) {
  const Tensor* t = c.constant(input);
  if (!t) c.refuse("its scales are not constant");
  return *t;
}

/// Upsample, and Resize before opset 11.
std::vector<Value> map_upsample(Context& c) {
  std::vector<float> scales;
  if (c.has_input(1))
    scales = constant_scales(c, 1).to_f32();
  else
    scales = c.reals("scales");
  const Attributes a = attributes(
      {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("simple")}});
  return interpolate(c, by_scales(c, scales, 1e-5f), a);
}

bool is_given(Context& c, size_t input) { return c.has_input(input) && element_count(c.input(input).shape()) != 0; }

std::vector<Value> map_resize(Context& c) {
  if (c.opset() < 11) return map_upsample(c);
  const std::string transformation = c.text("coordinate_transformation_mode", "half_pixel");
  if (transformation == "tf_crop_and_resize" || c.integer("exclude_outside", 0) != 0 ||
      c.integer("antialias", 0) != 0 || c.node().find("axes"))
    c.refuse("this form of Resize is not supported");
  // quirk: the term that guards the floor is rounded to half precision before it is used in single precision.
  const float epsilon = half_to_float(float_to_half(1e-5f));
  const Attributes a = attributes({{"coordinate_transformation_mode", transformation},
                                   {"nearest_mode", c.text("nearest_mode", "round_prefer_floor")},
                                   {"cube_coeff", c.real("cubic_coeff_a", -0.75f)}});
  if (is_given(c, 3)) return interpolate(c, by_sizes(c, c.constant_integers(3, "list of sizes"), epsilon), a);
  if (!is_given(c, 2)) c.refuse("it has neither scales nor sizes");
  return interpolate(c, by_scales(c, constant_scales(c, 2).to_f32(), epsilon), a);
}

constexpr Mapper kMappers[] = {{"Upsample", map_upsample}, {"Resize", map_resize}};

}  // namespace

std::span<const Mapper> resize_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
