// Larger and smaller pictures, and values in other places.
#include <algorithm>
#include <cmath>

#include "importers/caffe/operators.hpp"
#include "importers/common/plane_shapes.hpp"

namespace blobsmith::caffe {
namespace {

struct Sampling {
  const char* mode = "linear_onnx";
  const char* coordinates = "align_corners";
  const char* nearest = "round_prefer_floor";
  bool antialias = false;
};

/// `computed`: the size, where the network computes it itself.
Value interpolate(Context& c, const std::vector<int64_t>& size, const Sampling& s, Value computed = {}) {
  if (std::ranges::any_of(size, [](int64_t v) { return v < 1; })) c.refuse("its output would be " + to_string(size));
  const std::vector<int64_t> none(4, 0);
  const Value sizes = computed ? computed : c.named_integers(size, {}),
              scales = c.numbered_constant(Tensor::of(ElementType::f32, {2}, std::vector<float>{1, 1}),
                                           "_input_port_2/value"),
              axes = c.numbered_constant(Tensor::i64({2, 3}), "_input_port_3/value");
  return c.make("Interpolate", {c.input(0), sizes, scales, axes},
                attributes({{"mode", std::string(s.mode)},
                            {"shape_calculation_mode", std::string("sizes")},
                            {"coordinate_transformation_mode", std::string(s.coordinates)},
                            {"nearest_mode", std::string(s.nearest)},
                            {"antialias", s.antialias},
                            {"pads_begin", none},
                            {"pads_end", none},
                            {"cube_coeff", -0.75}}),
                4);
}

/// DeepLab's: corners on corners. quirk: Model Optimizer zooms by the factor alone.
int64_t zoomed(const Context& c, int64_t in, int64_t factor) {
  return c.quirks() ? in * factor : in + (in - 1) * (factor - 1);
}

/// The plane of an input times a whole number, as Model Optimizer computes it.
Value size_times(Context& c, size_t input, int64_t factor, const std::string& suffix) {
  const Value plane = importers::plane_size(c, c.input(input), "/shape", "/ss_0_port");
  if (factor == 1) return plane;
  return c.make("Multiply", {plane, c.integers_constant({factor}, suffix + "_const")}, {}, Context::kNewest, suffix);
}

std::vector<Value> interp(Context& c) {
  const Message& p = c.parameters("interp_param");
  if (c.rank() != 4) c.refuse("its input has " + std::to_string(c.rank()) + " dimensions, not 4");
  const int64_t height = p.integer("height", 0), width = p.integer("width", 0), zoom = p.integer("zoom_factor", 1),
                shrink = p.integer("shrink_factor", 1), pad = p.integer("pad_beg", 0) + p.integer("pad_end", 0);
  if (zoom < 1 || shrink < 1 || zoom > INT16_MAX) c.refuse("its zoom_factor or shrink_factor is not positive");
  if (pad != 0) c.refuse("it crops its input by pad_beg and pad_end");
  std::vector<int64_t> size{height, width};
  if (c.has_input(1)) {
    if (c.rank(1) != 4) c.refuse("its second input does not have 4 dimensions");
    size = {c.shape(1)[2], c.shape(1)[3]};
    if (c.quirks()) return {interpolate(c, size, {}, size_times(c, 1, 1, ""))};
  } else if (height == 0 || width == 0) {
    for (const size_t i : {0, 1}) {
      const int64_t in = c.shape()[i + 2];
      const int64_t shrunk = shrink == 1 ? in : (in - 1) / shrink + 1;
      size[i] = zoom == 1 ? shrunk : zoomed(c, shrunk, zoom);
    }
    if (c.quirks() && shrink == 1 && zoom != 1)
      return {interpolate(c, size, {}, size_times(c, 0, zoom, "/zoom_factor_mul"))};
  }
  return {interpolate(c, size, {})};
}

/// FlowNet's.
std::vector<Value> resample(Context& c) {
  const Message& p = c.parameters("resample_param");
  if (c.rank() != 4) c.refuse("its input has " + std::to_string(c.rank()) + " dimensions, not 4");
  const std::string type = p.text("type", "LINEAR");
  const double factor = p.real("factor", 1);
  std::vector<int64_t> size{p.integer("height", 0), p.integer("width", 0)};
  if (c.has_input(1) && c.rank(1) == 4)
    size = {c.shape(1)[2], c.shape(1)[3]};
  else if (size[0] == 0 || size[1] == 0)
    for (const size_t i : {0, 1})
      size[i] = static_cast<int64_t>(std::floor(static_cast<double>(c.shape()[i + 2]) * factor));
  Value computed;
  if (c.quirks() && p.integer("height", 0) == 0 && p.integer("width", 0) == 0 && std::floor(factor) == factor &&
      !c.has_input(1))
    computed = size_times(c, 0, static_cast<int64_t>(factor), "/factor_mul_");
  const bool antialias = p.flag("antialias", true);
  const bool shrinks = size[0] < c.shape()[2] || size[1] < c.shape()[3];
  if (type == "NEAREST" || type == "1")
    return {interpolate(c, size, {"nearest", "half_pixel", "round_prefer_floor", antialias}, computed)};
  if (type != "LINEAR" && type != "2") c.refuse("its type " + type + " can't be computed");
  if (antialias && shrinks) c.refuse("it shrinks its input with antialiasing");
  return {interpolate(c, size, {"linear_onnx", "half_pixel", "round_prefer_floor", antialias}, computed)};
}

/// Each value in a block of its own size. No layer of Model Optimizer.
std::vector<Value> upsample(Context& c) {
  const Message& p = c.parameters("upsample_param");
  if (c.rank() != 4 || c.input_count() != 1) c.refuse("it puts values back where a pool took them from");
  const int64_t scale = p.integer("scale", 2);
  if (scale < 1 || scale > INT16_MAX) c.refuse("its scale is " + std::to_string(scale));
  return {interpolate(c, {c.shape()[2] * scale, c.shape()[3] * scale}, {"nearest", "asymmetric", "floor"})};
}

std::vector<Value> shuffle_channel(Context& c) {
  return {
      c.make("ShuffleChannels", {c.input(0)},
             attributes({{"axis", int64_t{1}}, {"group", c.parameters("shuffle_channel_param").integer("group", 1)}}))};
}

std::vector<Value> reorg(Context& c) {
  // Intel's Caffe has parameters of their own; "Reorg" is that of the ports of YOLO v2.
  const int64_t stride =
      c.parameters("reorg_param").integer("stride", c.parameters("reorg_yolo_param").integer("stride", 1));
  return {c.make("ReorgYolo", {c.input(0)}, attributes({{"stride", stride}}))};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"Interp", "Interpolate", interp, "without pads"},
    {"Reorg", "ReorgYolo", reorg},
    {"ReorgYolo", "ReorgYolo", reorg},
    {"Resample", "Interpolate", resample, "NEAREST and LINEAR, no antialiasing of smaller pictures"},
    {"ShuffleChannel", "ShuffleChannels", shuffle_channel},
    {"Upsample", "Interpolate", upsample, "one input"},
};

}  // namespace

std::span<const OperatorRow> resize_operators() { return kOperators; }

}  // namespace blobsmith::caffe
