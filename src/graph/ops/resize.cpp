// Interpolate (front-end spec §15.1).
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kInterpolate0[] = {
    {"axes", Integers, kMandatory},  {"mode", Choice, kMandatory, "nearest|linear|cubic|area"},
    {"align_corners", Flag, "true"}, {"antialias", Flag, "false"},
    {"pads_begin", Integers, ""},    {"pads_end", Integers, ""}};
constexpr AttributeSpec kInterpolate4[] = {
    {"mode", Choice, kMandatory, "nearest|linear|linear_onnx|cubic"},
    {"shape_calculation_mode", Choice, kMandatory, "sizes|scales"},
    {"coordinate_transformation_mode", Choice, "half_pixel",
     "half_pixel|pytorch_half_pixel|asymmetric|tf_half_pixel_for_nn|align_corners"},
    {"nearest_mode", Choice, "round_prefer_floor", "round_prefer_floor|round_prefer_ceil|floor|ceil|simple"},
    {"antialias", Flag, "false"},
    {"pads_begin", Integers, ""},
    {"pads_end", Integers, ""},
    {"cube_coeff", Real, "-0.75"}};

void set_dim(const Inference& in, Shape& out, int64_t axis, int64_t size) {
  in.require(size > 0, "Its output size must be positive");
  out[static_cast<size_t>(axis)] = size;
}

// The sizes of input 1, where they are known.
void set_sizes(const Inference& in, Shape& out, const std::vector<int64_t>& axes) {
  const auto sizes = in.values(1);
  if (sizes && sizes->size() != axes.size()) in.fail("The number of sizes must match the number of axes");
  for (size_t i = 0; i < axes.size(); ++i)
    if (sizes)
      set_dim(in, out, axes[i], (*sizes)[i]);
    else
      out[static_cast<size_t>(axes[i])] = kDynamic;
}

void infer_interpolate_0(Inference& in) {
  const std::vector<int64_t> axes = in.axes(in.attrs().integers("axes"), in.rank());
  Shape out = in.shape();
  set_sizes(in, out, axes);
  in.output(in.type(), std::move(out));
}

std::vector<int64_t> resized_axes(const Inference& in) {
  if (in.input_count() > 3) return in.axes(in.constant_values(3, "axes"), in.rank());
  std::vector<int64_t> all(in.shape().size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// Pads apply to every axis; short lists are filled up with zeros.
Shape padded_shape(Inference& in) {
  Shape out = in.shape();
  for (std::string_view name : {"pads_begin", "pads_end"}) {
    std::vector<int64_t> pads = in.attrs().integers(name);
    pads.resize(out.size(), 0);
    for (size_t i = 0; i < out.size(); ++i) {
      in.require(pads[i] >= 0, "Pads must not be negative");
      out[i] = add_dims(out[i], pads[i]);
    }
  }
  return out;
}

void infer_interpolate_4(Inference& in) {
  const std::vector<int64_t> axes = resized_axes(in);
  const Shape padded = padded_shape(in);
  Shape out = padded;
  const bool by_scales = in.attrs().text("shape_calculation_mode") == "scales";
  if (by_scales) {
    const auto scales = in.tensor(2);
    if (scales && scales->to_f32().size() != axes.size()) in.fail("The number of scales must match the number of axes");
    for (size_t i = 0; i < axes.size(); ++i) {
      const int64_t size = padded[static_cast<size_t>(axes[i])];
      if (!scales || size == kDynamic)
        out[static_cast<size_t>(axes[i])] = kDynamic;
      else
        set_dim(in, out, axes[i],
                truncate(std::floor(static_cast<double>(static_cast<float>(size) * (scales->to_f32()[i] + 1.0e-6F)))));
    }
  } else {
    set_sizes(in, out, axes);
  }
  in.output(in.type(), std::move(out));
}

// ---- folding: nearest only, without pads ----

float source_coordinate(const std::string& mode, float at, float scale, float in_size, float out_size) {
  if (mode == "half_pixel") return (at + 0.5F) / scale - 0.5F;
  if (mode == "pytorch_half_pixel") return out_size > 1 ? (at + 0.5F) / scale - 0.5F : 0.0F;
  if (mode == "asymmetric") return at / scale;
  if (mode == "tf_half_pixel_for_nn") return (at + 0.5F) / scale;
  return out_size == 1 ? 0 : at * (in_size - 1) / (out_size - 1);
}

int64_t nearest(const std::string& mode, float x, bool downsamples) {
  if (mode == "round_prefer_floor")
    return static_cast<int64_t>(x == std::floor(x) + 0.5F ? std::floor(x) : std::round(x));
  if (mode == "round_prefer_ceil") return static_cast<int64_t>(std::round(x));
  if (mode == "floor") return static_cast<int64_t>(std::floor(x));
  if (mode == "ceil") return static_cast<int64_t>(std::ceil(x));
  return static_cast<int64_t>(downsamples ? std::ceil(x) : x);
}

bool all_zero(const std::vector<int64_t>& list) {
  return std::ranges::all_of(list, [](int64_t v) { return v == 0; });
}

std::vector<Tensor> evaluate_interpolate_4(const Node& n, Tensors inputs) {
  if (n.attrs.text("mode") != "nearest" || !all_zero(n.attrs.integers("pads_begin")) ||
      !all_zero(n.attrs.integers("pads_end")) || !is_byte_sized(n.element_type()))
    return {};
  const Tensor& data = *inputs[0];
  const size_t rank = data.shape.size();
  std::vector<float> scales(rank, 1.0F);
  for (size_t i = 0; i < rank; ++i) scales[i] = static_cast<float>(n.shape()[i]) / static_cast<float>(data.shape[i]);
  if (n.attrs.text("shape_calculation_mode") == "scales") {
    const std::vector<float> given = inputs[2]->to_f32();
    const std::vector<int64_t> axes = inputs.size() > 3 ? inputs[3]->to_i64() : std::vector<int64_t>();
    for (size_t i = 0; i < given.size(); ++i)
      scales.at(static_cast<size_t>(axes.empty()  ? static_cast<int64_t>(i)
                                    : axes[i] < 0 ? axes[i] + static_cast<int64_t>(rank)
                                                  : axes[i])) = given[i];
  }
  // For each axis, the source position of every output position.
  const std::vector<int64_t> dense = dense_strides(data.shape), strides = dense_strides(n.shape());
  std::vector<std::vector<int64_t>> source(rank);
  for (size_t axis = 0; axis < rank; ++axis)
    for (int64_t i = 0; i < n.shape()[axis]; ++i) {
      const auto in_size = static_cast<float>(data.shape[axis]), out_size = static_cast<float>(n.shape()[axis]);
      const float x = scales[axis] == 1.0F && in_size == out_size
                          ? static_cast<float>(i)
                          : source_coordinate(n.attrs.text("coordinate_transformation_mode"), static_cast<float>(i),
                                              scales[axis], in_size, out_size);
      source[axis].push_back(
          std::clamp<int64_t>(nearest(n.attrs.text("nearest_mode"), x, scales[axis] < 1.0F), 0, data.shape[axis] - 1));
    }
  TensorBuilder out(n.element_type(), n.shape());
  for_each_position(n.shape(), 0, strides, [&](int64_t i, int64_t) {
    int64_t rest = i, from = 0;
    for (size_t axis = 0; axis < rank; ++axis) {
      from += source[axis][static_cast<size_t>(rest / strides[axis])] * dense[axis];
      rest %= strides[axis];
    }
    std::memcpy(out.at(i), data.bytes.data() + static_cast<size_t>(from) * out.element_size(), out.element_size());
  });
  return {out.take()};
}

constexpr OpRow kOps[] = {
    {"Interpolate", 0, {1, 3}, 2, 2, kInterpolate0, infer_interpolate_0},
    {"Interpolate", 4, {4, 7}, 3, 4, kInterpolate4, infer_interpolate_4, evaluate_interpolate_4},
};

}  // namespace

std::span<const OpRow> resize_ops() { return kOps; }

}  // namespace blobsmith::ops
