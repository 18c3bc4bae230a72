// Resizing pictures; blocks of planes to channels or batches and back.
#include "importers/common/resize_axis.hpp"
#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

/// Sizes are inputs, [height, width]; the scales that go with them are quotients in single precision.
std::vector<Value> resize(Context& c) {
  if (c.rank() != 4) c.refuse("its input has " + std::to_string(c.rank()) + " dimensions");
  const std::vector<int64_t> sizes = c.integers_of(1, "size");
  if (sizes.size() != 2 || sizes[0] < 1 || sizes[1] < 1) c.refuse("its size is " + to_string(sizes));
  const bool nearest = c.node().op == "ResizeNearestNeighbor", corners = c.node().flag("align_corners", false),
             centres = c.node().flag("half_pixel_centers", false);
  std::string coordinates = "asymmetric", rounding = nearest ? "floor" : "round_prefer_floor";
  if (corners) {
    coordinates = "align_corners";
    if (nearest) rounding = "round_prefer_ceil";
  } else if (centres) {
    coordinates = nearest ? "tf_half_pixel_for_nn" : "half_pixel";
  }
  std::vector<float> scales;
  for (size_t i = 0; i < 2; ++i)
    scales.push_back(static_cast<float>(sizes[i]) / static_cast<float>(c.input(0).shape()[i + 1]));
  const Value scale = c.graph().constant(Tensor::of(ElementType::f32, {2}, scales), c.name() + "/Div")->value();
  return {c.make("Interpolate",
                 {c.input(0), c.named_integers(sizes, c.constant_name(1)), scale,
                  c.integers_constant({1, 2}, "/interpolate_4_input_port_3/value")},
                 attributes({{"mode", std::string(nearest                          ? "nearest"
                                                  : c.node().op == "ResizeBicubic" ? "cubic"
                                                                                   : "linear_onnx")},
                             {"shape_calculation_mode", std::string("sizes")},
                             {"coordinate_transformation_mode", coordinates},
                             {"nearest_mode", rounding},
                             {"antialias", false},
                             {"pads_begin", std::vector<int64_t>(4, 0)},
                             {"pads_end", std::vector<int64_t>(4, 0)},
                             {"cube_coeff", -0.75}}),
                 4)};
}

/// With half pixels TensorFlow weighs by another cube, and pixels outside of the picture not at all: a product by a
/// matrix of weights for each axis.
std::vector<Value> resize_bicubic(Context& c) {
  if (!c.node().flag("half_pixel_centers", false) || c.node().flag("align_corners", false)) return resize(c);
  const std::vector<int64_t> sizes = c.integers_of(1, "size");
  const Shape s = c.input(0).shape();
  if (s.size() != 4 || !is_static(s) || sizes.size() != 2 || sizes[0] < 1 || sizes[1] < 1)
    c.refuse("its input has the shape " + to_string(s) + ", its size is " + to_string(sizes));
  const auto weights = [&](int64_t in, int64_t out) {
    const importers::ResizeAxis axis{.mode = "cubic",
                                     .coordinates = "half_pixel",
                                     .rounding = {},
                                     .scale = static_cast<double>(out) / static_cast<double>(in),
                                     .in = static_cast<double>(in),
                                     .out = static_cast<double>(out),
                                     .cube = -0.5,
                                     .antialias = false,
                                     .exclude_outside = true};
    return c.graph().constant(Tensor::of(ElementType::f32, {in, out}, axis.weights()))->value();
  };
  const auto product = [&](Value a, Value b, bool turns, const std::string& suffix) {
    return c.make("MatMul", {a, b}, attributes({{"transpose_a", turns}, {"transpose_b", false}}), Context::kNewest,
                  suffix);
  };
  // Planes in the rows of one matrix, columns first: [C · H, W] x [W, W'], then [C · W', H] x [H, H'].
  const Value x = c.to_channels_first(c.input(0));
  const int64_t planes = s[0] * s[3];
  const Value rows = c.reshape(x, {planes * s[1], s[2]}, "/rows");
  const Value wide =
      c.reshape(product(rows, weights(s[2], sizes[1]), false, "/wide"), {planes, s[1], sizes[1]}, "/planes");
  const Value columns = c.reshape(c.transpose(wide, {0, 2, 1}, "/turned"), {planes * sizes[1], s[1]}, "/columns");
  const Value tall = c.reshape(product(columns, weights(s[1], sizes[0]), false, "/tall"),
                               {s[0], s[3], sizes[1], sizes[0]}, "/resized");
  return {c.transpose(c.keeping_order(tall), {0, 3, 2, 1}, "")};
}

std::vector<Value> blocks(Context& c) {
  if (c.rank() != 4) c.refuse("its input has " + std::to_string(c.rank()) + " dimensions");
  const Value x = c.to_channels_first(c.input(0));
  return {c.to_model_layout(
      c.make(c.becomes(), {x},
             attributes({{"mode", std::string("blocks_first")}, {"block_size", c.node().integer("block_size", 1)}})))};
}

/// Block sizes and pads of the planes; all axes of the operation are stated.
std::vector<Value> space_and_batch(Context& c) {
  std::vector<int64_t> block = c.integers_of(1, "block shape"), pads = c.integers_of(2, "list of pads");
  const auto planes = static_cast<int64_t>(block.size());
  if (planes + 1 > c.rank() || static_cast<int64_t>(pads.size()) != 2 * planes)
    c.refuse("its block shape is " + to_string(block));
  std::vector<int64_t> begin(static_cast<size_t>(c.rank()), 0), end = begin, sizes(begin.size(), 1);
  for (size_t i = 0; i < block.size(); ++i) {
    sizes[i + 1] = block[i];
    begin[i + 1] = pads[2 * i];
    end[i + 1] = pads[2 * i + 1];
  }
  return {c.make(c.becomes(), {c.input(0), c.integers_constant(sizes, "/block"), c.integers_constant(begin, "/begin"),
                               c.integers_constant(end, "/end")})};
}

std::vector<Value> image_patches(Context& c) {
  if (c.rank() != 4) c.refuse("its input has " + std::to_string(c.rank()) + " dimensions");
  const auto planes = [&](const char* attribute) {
    const std::vector<int64_t> v = c.node().integers(attribute);
    if (v.size() != 4) c.refuse(std::string(attribute) + " is " + to_string(v));
    return std::vector<int64_t>{v[1], v[2]};
  };
  const Value x = c.to_channels_first(c.input(0));
  return {c.to_model_layout(c.make(
      "ExtractImagePatches", {x},
      attributes({{"sizes", planes("ksizes")},
                  {"strides", planes("strides")},
                  {"rates", planes("rates")},
                  {"auto_pad", std::string(c.node().text("padding", "VALID") == "SAME" ? "same_upper" : "valid")}})))};
}

constexpr OperatorRow kOperators[] = {
    {"ResizeBilinear", "Interpolate", resize},
    {"ResizeNearestNeighbor", "Interpolate", resize},
    {"ResizeBicubic", "Interpolate", resize_bicubic},
    {"SpaceToDepth", "SpaceToDepth", blocks},
    {"DepthToSpace", "DepthToSpace", blocks},
    {"SpaceToBatchND", "SpaceToBatch", space_and_batch},
    {"BatchToSpaceND", "BatchToSpace", space_and_batch},
    {"ExtractImagePatches", "ExtractImagePatches", image_patches},
};

}  // namespace

std::span<const OperatorRow> resize_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
