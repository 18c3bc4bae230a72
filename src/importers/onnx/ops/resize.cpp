// Resize and Upsample. Left column: sizes and scales of static shapes are computed here, in single precision like Model
// Optimizer's sub-graph of Multiply, Add and Floor (model-optimizer spec §5.2). Right column: by arithmetic on the
// input's shape, folded later.
#include <algorithm>
#include <array>
#include <cmath>

#include "core/float16.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/onnx/ops/spelled_resize.hpp"

namespace blobsmith::onnx_import {
namespace mo {
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
  std::string mode = c.text("mode", "nearest");
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
std::vector<Value> upsample(Context& c) {
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

Attributes interpolation_attributes(Context& c) {
  return attributes({{"coordinate_transformation_mode", c.text("coordinate_transformation_mode", "half_pixel")},
                     {"nearest_mode", c.text("nearest_mode", "round_prefer_floor")},
                     {"cube_coeff", c.real("cubic_coeff_a", -0.75f)}});
}

std::vector<Value> resize(Context& c) {
  if (c.opset() < 11) return upsample(c);
  const std::string transformation = c.text("coordinate_transformation_mode", "half_pixel");
  if (!c.quirks()) {
    const ResizedAxes r = resized_axes(c);
    if (needs_spelled_resize(c, r)) return {spelled_resize(c, r)};
    if (c.has("axes")) return interpolate(c, {r.scales, r.sizes, !is_given(c, 3)}, interpolation_attributes(c));
  }
  if (transformation == "tf_crop_and_resize" || c.integer("exclude_outside", 0) != 0 ||
      c.integer("antialias", 0) != 0 || c.has("axes"))
    c.refuse("this form of Resize is not supported");
  // quirk: the term that guards the floor is rounded to half precision before it is used in single precision.
  const float epsilon = half_to_float(float_to_half(1e-5f));
  const Attributes a = interpolation_attributes(c);
  if (is_given(c, 3)) return interpolate(c, by_sizes(c, c.constant_integers(3, "list of sizes"), epsilon), a);
  if (!is_given(c, 2)) c.refuse("it has neither scales nor sizes");
  return interpolate(c, by_scales(c, constant_scales(c, 2).to_f32(), epsilon), a);
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

std::string checked(const Context& c, const std::string& value, std::span<const std::string_view> known,
                    const std::string& what) {
  if (std::ranges::find(known, value) != known.end()) return value;
  std::string list;
  for (const std::string_view k : known) list += (list.empty() ? "" : ", ") + std::string(k);
  c.refuse(value + " - this type of " + what + " is not supported. Choose one of the following modes: " + list);
}

struct Sampling {
  std::string mode, coordinates, nearest;
  double cubic = -0.75;
  size_t pads = 1;  ///< how many zeros stand for no padding
};

Value interpolate(Context& c, Value x, Value shape, Value scales, const char* by, const Sampling& s) {
  const std::vector<int64_t> no_pads(s.pads, 0);
  return c.make("Interpolate", {x, shape, scales},
                attributes({{"mode", s.mode},
                            {"shape_calculation_mode", std::string(by)},
                            {"coordinate_transformation_mode", s.coordinates},
                            {"nearest_mode", s.nearest},
                            {"antialias", false},
                            {"pads_begin", no_pads},
                            {"pads_end", no_pads},
                            {"cube_coeff", s.cubic}}),
                4);
}

Sampling sampling(const Context& c) {
  constexpr std::array<std::string_view, 3> kModes{"cubic", "linear", "nearest"};
  constexpr std::array<std::string_view, 5> kCoordinates{"align_corners", "asymmetric", "half_pixel",
                                                         "pytorch_half_pixel", "tf_half_pixel_for_nn"};
  constexpr std::array<std::string_view, 4> kNearest{"ceil", "floor", "round_prefer_ceil", "round_prefer_floor"};
  const std::string mode = checked(c, c.text("mode", "nearest"), kModes, "interpolation mode");
  return {mode == "linear" ? "linear_onnx" : mode,
          checked(c, c.text("coordinate_transformation_mode", "half_pixel"), kCoordinates,
                  "coordinate transformation mode"),
          checked(c, c.text("nearest_mode", "round_prefer_floor"), kNearest, "round mode"),
          c.real("cubic_coeff_a", -0.75f)};
}

Value scaled_shape(Context& c, Value x, Value scales, bool floor) {
  const Value shape = c.shape_of(x);
  const Value real_shape = c.convert(shape, scales.type());
  Value target = c.binary("Multiply", real_shape, scales);
  if (floor) target = c.make("Floor", {target});
  return c.convert(target, ElementType::i64);
}

/// Sizes are turned into scales, with a little on top against rounding.
Value scales_for(Context& c, Value x, Value sizes) {
  const Value shape = c.shape_of(x);
  const Value from = c.convert(shape, ElementType::f32), to = c.convert(sizes, ElementType::f32);
  const Value ratio = c.binary("Divide", to, from);
  const Value epsilon = c.filled(ElementType::f32, {}, static_cast<double>(1e-5f));
  return c.binary("Add", ratio, epsilon);
}

std::vector<Value> resize_11(Context& c) {
  const Value x = c.input(0);
  const Sampling s = sampling(c);
  if (c.has_input(3)) {
    const Value sizes = c.input(3);
    return {interpolate(c, x, sizes, scales_for(c, x, sizes), "sizes", s)};
  }
  const Value scales = c.input(2);
  return {interpolate(c, x, scaled_shape(c, x, scales, false), scales, "scales", s)};
}

/// What was sampled before opset 11: nearest as floor does it, or linear from the corner.
Sampling old_sampling(const Context& c, const char* nearest) {
  constexpr std::array<std::string_view, 2> kModes{"linear", "nearest"};
  const std::string mode = checked(c, c.text("mode", "nearest"), kModes, "interpolation mode");
  return mode == "linear" ? Sampling{"linear_onnx", "asymmetric", "round_prefer_floor"}
                          : Sampling{"nearest", "half_pixel", nearest};
}

std::vector<Value> resize_10(Context& c) {
  const Value x = c.input(0), scales = c.input(1);
  Sampling s = old_sampling(c, "round_prefer_floor");
  s.pads = x.shape().size();
  if (c.release().old_resize_floors && s.mode == "nearest") {
    s.coordinates = "asymmetric";
    s.nearest = "floor";
  }
  return {interpolate(c, x, scaled_shape(c, x, scales, false), scales, "sizes", s)};
}

std::vector<Value> upsample_9(Context& c) {
  const Value x = c.input(0), scales = c.input(1);
  Sampling s = old_sampling(c, "round_prefer_floor");
  s.pads = x.shape().size();
  return {interpolate(c, x, scaled_shape(c, x, scales, true), scales, "scales", s)};
}

std::vector<Value> upsample_with(Context& c, std::vector<float> factors) {
  const Value x = c.input(0);
  const auto count = static_cast<int64_t>(factors.size());
  if (count != c.rank(x))
    c.refuse("Input tensor's rank is required to be the same as number of elements of 'scales' attribute");
  const Sampling s = old_sampling(c, "round_prefer_floor");
  const Value scales = c.constant(Tensor::of(ElementType::f32, {count}, std::move(factors)));
  return {interpolate(c, x, scaled_shape(c, x, scales, true), scales, "scales", s)};
}
std::vector<Value> upsample_1(Context& c) {
  return upsample_with(
      c, {1, 1, static_cast<float>(c.real("height_scale", 1)), static_cast<float>(c.real("width_scale", 1))});
}
std::vector<Value> upsample_7(Context& c) { return upsample_with(c, c.reals("scales")); }

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"Resize", 1, "Interpolate", mo::resize, ie::resize_10},
    {"Resize", 11, "Interpolate", mo::resize, ie::resize_11},
    {"Upsample", 1, "Interpolate", mo::upsample, ie::upsample_1},
    {"Upsample", 7, "Interpolate", mo::upsample, ie::upsample_7},
    {"Upsample", 9, "Interpolate", mo::upsample, ie::upsample_9},
};

}  // namespace

std::span<const OperatorRow> resize_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
