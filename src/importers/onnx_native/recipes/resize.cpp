// Resize and Upsample: target shapes by arithmetic on the input's shape, folded later.
#include <algorithm>
#include <array>

#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

std::string checked(const Recipe& r, const std::string& value, std::span<const std::string_view> known,
                    const std::string& what) {
  if (std::ranges::find(known, value) != known.end()) return value;
  std::string list;
  for (const std::string_view k : known) list += (list.empty() ? "" : ", ") + std::string(k);
  r.refuse(value + " - this type of " + what + " is not supported. Choose one of the following modes: " + list);
}

struct Sampling {
  std::string mode, coordinates, nearest;
  double cubic = -0.75;
  size_t pads = 1;  ///< how many zeros stand for no padding
};

Value interpolate(Recipe& r, Value x, Value shape, Value scales, const char* by, const Sampling& s) {
  const std::vector<int64_t> no_pads(s.pads, 0);
  return r.make("Interpolate", {x, shape, scales},
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

Sampling sampling(const Recipe& r) {
  constexpr std::array<std::string_view, 3> kModes{"cubic", "linear", "nearest"};
  constexpr std::array<std::string_view, 5> kCoordinates{"align_corners", "asymmetric", "half_pixel",
                                                         "pytorch_half_pixel", "tf_half_pixel_for_nn"};
  constexpr std::array<std::string_view, 4> kNearest{"ceil", "floor", "round_prefer_ceil", "round_prefer_floor"};
  const std::string mode = checked(r, r.text("mode", "nearest"), kModes, "interpolation mode");
  return {mode == "linear" ? "linear_onnx" : mode,
          checked(r, r.text("coordinate_transformation_mode", "half_pixel"), kCoordinates,
                  "coordinate transformation mode"),
          checked(r, r.text("nearest_mode", "round_prefer_floor"), kNearest, "round mode"),
          static_cast<double>(r.real("cubic_coeff_a", -0.75f))};
}

Value scaled_shape(Recipe& r, Value x, Value scales, bool floor) {
  const Value shape = r.shape_of(x);
  const Value real_shape = r.convert(shape, scales.type());
  Value target = r.binary("Multiply", real_shape, scales);
  if (floor) target = r.make("Floor", {target});
  return r.convert(target, ElementType::i64);
}

/// Sizes are turned into scales, with a little on top against rounding.
Value scales_for(Recipe& r, Value x, Value sizes) {
  const Value shape = r.shape_of(x);
  const Value from = r.convert(shape, ElementType::f32), to = r.convert(sizes, ElementType::f32);
  const Value ratio = r.binary("Divide", to, from);
  const Value epsilon = r.filled(ElementType::f32, {}, static_cast<double>(1e-5f));
  return r.binary("Add", ratio, epsilon);
}

std::vector<Value> resize_11(Recipe& r) {
  const Value x = r.input(0);
  const Sampling s = sampling(r);
  if (r.has_input(3)) {
    const Value sizes = r.input(3);
    return {interpolate(r, x, sizes, scales_for(r, x, sizes), "sizes", s)};
  }
  const Value scales = r.input(2);
  return {interpolate(r, x, scaled_shape(r, x, scales, false), scales, "scales", s)};
}

/// What was sampled before opset 11: nearest as floor does it, or linear from the corner.
Sampling old_sampling(const Recipe& r, const char* nearest) {
  constexpr std::array<std::string_view, 2> kModes{"linear", "nearest"};
  const std::string mode = checked(r, r.text("mode", "nearest"), kModes, "interpolation mode");
  return mode == "linear" ? Sampling{"linear_onnx", "asymmetric", "round_prefer_floor"}
                          : Sampling{"nearest", "half_pixel", nearest};
}

std::vector<Value> resize_10(Recipe& r) {
  const Value x = r.input(0), scales = r.input(1);
  Sampling s = old_sampling(r, "round_prefer_floor");
  s.pads = x.shape().size();
  return {interpolate(r, x, scaled_shape(r, x, scales, false), scales, "sizes", s)};
}

std::vector<Value> upsample_9(Recipe& r) {
  const Value x = r.input(0), scales = r.input(1);
  Sampling s = old_sampling(r, "round_prefer_floor");
  s.pads = x.shape().size();
  return {interpolate(r, x, scaled_shape(r, x, scales, true), scales, "scales", s)};
}

std::vector<Value> upsample_with(Recipe& r, std::vector<float> factors) {
  const Value x = r.input(0);
  const auto count = static_cast<int64_t>(factors.size());
  if (count != r.rank(x))
    r.refuse("Input tensor's rank is required to be the same as number of elements of 'scales' attribute");
  const Sampling s = old_sampling(r, "round_prefer_floor");
  const Value scales = r.constant(Tensor::of(ElementType::f32, {count}, std::move(factors)));
  return {interpolate(r, x, scaled_shape(r, x, scales, true), scales, "scales", s)};
}
std::vector<Value> upsample_1(Recipe& r) {
  return upsample_with(r, {1, 1, r.real("height_scale", 1), r.real("width_scale", 1)});
}
std::vector<Value> upsample_7(Recipe& r) {
  const onnx_file::Attribute* scales = r.node().find("scales");
  return upsample_with(r, scales ? scales->reals : std::vector<float>{});
}

constexpr Row kRows[] = {{"Resize", 1, resize_10},
                         {"Resize", 11, resize_11},
                         {"Upsample", 1, upsample_1},
                         {"Upsample", 7, upsample_7},
                         {"Upsample", 9, upsample_9}};

}  // namespace

std::span<const Row> resize_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
