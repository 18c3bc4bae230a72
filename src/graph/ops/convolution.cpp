// Convolutions and their transposes (front-end spec §15.1).
#include <algorithm>

#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;

constexpr AttributeSpec kConvolution[] = {{"strides", Integers, ""},
                                          {"dilations", Integers, ""},
                                          {"pads_begin", Integers, ""},
                                          {"pads_end", Integers, ""},
                                          {"auto_pad", Choice, "explicit", kPadModes}};
constexpr AttributeSpec kGroup[] = {{"strides", Integers, ""},
                                    {"pads_begin", Integers, ""},
                                    {"pads_end", Integers, ""},
                                    {"dilations", Integers, ""},
                                    {"auto_pad", Choice, "explicit", kPadModes}};
constexpr AttributeSpec kGroupBackprop[] = {{"strides", Integers, ""},
                                            {"pads_begin", Integers, ""},
                                            {"pads_end", Integers, ""},
                                            {"dilations", Integers, ""},
                                            {"auto_pad", Choice, "explicit", kPadModes},
                                            {"output_padding", Integers, ""}};
constexpr AttributeSpec kBackprop[] = {{"strides", Integers, ""},
                                       {"dilations", Integers, ""},
                                       {"pads_begin", Integers, ""},
                                       {"pads_end", Integers, ""},
                                       {"auto_pad", Choice, "explicit", kPadModes},
                                       {"output_padding", Integers, ""}};
constexpr AttributeSpec kBinary[] = {{"strides", Integers, ""},
                                     {"dilations", Integers, ""},
                                     {"pads_begin", Integers, ""},
                                     {"pads_end", Integers, ""},
                                     {"auto_pad", Choice, "explicit", kPadModes},
                                     {"mode", Choice, "xnor-popcount", "xnor-popcount"},
                                     {"pad_value", Real, "0"}};
constexpr AttributeSpec kDeformable[] = {{"strides", Integers, ""},
                                         {"dilations", Integers, ""},
                                         {"pads_begin", Integers, ""},
                                         {"pads_end", Integers, ""},
                                         {"auto_pad", Choice, "explicit", kPadModes},
                                         {"group", Integer, "1"},
                                         {"deformable_group", Integer, "1"}};

// Both spellings mean explicit pads.
void normalize_pad_mode(Inference& in) {
  if (in.attrs().text("auto_pad") == "notset") in.attrs().set("auto_pad", "explicit");
}

// Batch and spatial ranks, and that data and filters hold numbers of one type.
void check_operands(Inference& in, int filters, int64_t filter_rank_excess) {
  if (in.rank() < 3 || in.rank() > 5) in.fail("Data must have rank 3, 4 or 5");
  if (in.rank(filters) != in.rank() + filter_rank_excess)
    in.fail("Data and filters rank do not match (data batch shape: " + to_string(in.shape()) +
            ", filters shape: " + to_string(in.shape(filters)) + ")");
  normalize_pad_mode(in);
}

void check_same_type(Inference& in, int filters) {
  if (in.type() != in.type(filters)) in.fail_type("Element types for data batch and filters do not match");
}

void check_channels(Inference& in, int64_t data, int64_t filters) {
  if (!merge_dims(data, filters))
    in.fail("Data batch channel count (" + std::to_string(data) + ") does not match filter input channel count (" +
            std::to_string(filters) + ")");
}

void forward(Inference& in, int filters, int64_t output_channels, size_t first_spatial) {
  const std::vector<int64_t> input = spatial(in.shape());
  const Windows w = read_windows(in, input, spatial(in.shape(filters), first_spatial));
  in.output(in.type(), concat({in.dim(0, 0), output_channels}, window_outputs(in, input, w)));
}

void infer_convolution(Inference& in) {
  check_operands(in, 1, 0);
  check_same_type(in, 1);
  check_channels(in, in.dim(0, 1), in.dim(1, 1));
  forward(in, 1, in.dim(1, 0), 2);
}

void infer_binary(Inference& in) {
  check_operands(in, 1, 0);
  check_channels(in, in.dim(0, 1), in.dim(1, 1));
  forward(in, 1, in.dim(1, 0), 2);
}

void infer_group(Inference& in) {
  check_operands(in, 1, 1);
  check_same_type(in, 1);
  check_channels(in, in.dim(0, 1), multiply_dims(in.dim(1, 0), in.dim(1, 2)));
  forward(in, 1, multiply_dims(in.dim(1, 0), in.dim(1, 1)), 3);
}

void infer_deformable(Inference& in) {
  check_operands(in, 2, 0);
  check_same_type(in, 2);
  in.require(in.attrs().integer("group") > 0 && in.attrs().integer("deformable_group") > 0, "Groups must be positive");
  check_channels(in, in.dim(0, 1), multiply_dims(in.dim(2, 1), in.attrs().integer("group")));
  forward(in, 2, in.dim(2, 0), 2);
}

/// A transposed convolution: the sizes of its input, and by how much its output is enlarged, per spatial axis.
struct Transposed {
  std::vector<int64_t> input, extra;
  Windows w;

  bool is_dynamic(size_t i) const { return input[i] == kDynamic || w[i].kernel == kDynamic; }
  /// Of the output without pads.
  int64_t full_size(size_t i) const { return w[i].stride * (input[i] - 1) + w[i].reach() + extra[i]; }
};

// With an output shape, same_* pads follow from it: the odd element goes to the begin for same_upper, else to the end.
// Explicit pads stay as they are, whether or not they lead to that shape.
std::vector<int64_t> outputs_from_shape(Inference& in, Transposed& t) {
  const std::vector<int64_t> out = in.constant_values(2, "output shape");
  if (out.size() != t.w.size()) in.fail("Spatial shape of output must have one value per spatial axis");
  const std::string mode = in.attrs().text("auto_pad");
  for (size_t i = 0; i < out.size(); ++i) {
    in.require(out[i] > 0 && out[i] < (int64_t{1} << 31), "Spatial shape of output is out of range");
    if (mode == "valid") t.w[i].pad_begin = t.w[i].pad_end = 0;
    if (mode.starts_with("same") && !t.is_dynamic(i))
      t.w[i].set_pads(std::max<int64_t>(t.full_size(i) - out[i], 0), mode != "same_upper");
  }
  return out;
}

std::vector<int64_t> outputs_from_input(Inference& in, Transposed& t) {
  const bool pads = in.attrs().text("auto_pad") == "explicit";
  std::vector<int64_t> out;
  for (size_t i = 0; i < t.w.size(); ++i) {
    if (!pads) t.w[i].pad_begin = t.w[i].pad_end = 0;
    out.push_back(t.is_dynamic(i) ? kDynamic : t.full_size(i) - t.w[i].pad_begin - t.w[i].pad_end);
  }
  in.require(std::ranges::all_of(out, [](int64_t d) { return d > 0 || d == kDynamic; }), "Its pads leave no output");
  return out;
}

void backprop(Inference& in, int64_t output_channels, size_t first_spatial) {
  const std::vector<int64_t> kernel = spatial(in.shape(1), first_spatial);
  const size_t rank = spatial(in.shape()).size();
  if (kernel.size() != rank) in.fail("Data and filters rank do not match");
  Transposed t{spatial(in.shape()), {}, Windows(rank)};
  set_column(t.w, &AxisWindow::kernel, kernel);
  set_column(t.w, &AxisWindow::stride, spatial_list(in, "strides", rank, 1));
  set_column(t.w, &AxisWindow::dilation, spatial_list(in, "dilations", rank, 1));
  set_column(t.w, &AxisWindow::pad_begin, spatial_list(in, "pads_begin", rank, 0));
  set_column(t.w, &AxisWindow::pad_end, spatial_list(in, "pads_end", rank, 0));
  t.extra = spatial_list(in, "output_padding", rank, 0);
  for (size_t i = 0; i < rank; ++i)
    in.require(t.w[i].stride > 0 && t.w[i].dilation > 0 && t.extra[i] >= 0, "Strides and dilations must be positive");
  const std::vector<int64_t> out = in.input_count() > 2 ? outputs_from_shape(in, t) : outputs_from_input(in, t);
  set_pad_attributes(in, t.w);
  in.output(in.type(), concat({in.dim(0, 0), output_channels}, out));
}

void infer_backprop(Inference& in) {
  check_operands(in, 1, 0);
  check_same_type(in, 1);
  check_channels(in, in.dim(0, 1), in.dim(1, 0));
  backprop(in, in.dim(1, 1), 2);
}

void infer_group_backprop(Inference& in) {
  check_operands(in, 1, 1);
  check_same_type(in, 1);
  check_channels(in, in.dim(0, 1), multiply_dims(in.dim(1, 0), in.dim(1, 1)));
  backprop(in, multiply_dims(in.dim(1, 0), in.dim(1, 2)), 3);
}

constexpr OpRow kOps[] = {
    {"Convolution", 0, {1, 7}, 2, 2, kConvolution, infer_convolution},
    {"GroupConvolution", 0, {1, 7}, 2, 2, kGroup, infer_group},
    {"ConvolutionBackpropData", 0, {1, 7}, 2, 3, kBackprop, infer_backprop},
    {"GroupConvolutionBackpropData", 0, {1, 7}, 2, 3, kGroupBackprop, infer_group_backprop},
    {"BinaryConvolution", 0, {1, 7}, 2, 2, kBinary, infer_binary},
    {"DeformableConvolution", 0, {1, 7}, 3, 3, kDeformable, infer_deformable},
};

}  // namespace

std::span<const OpRow> convolution_ops() { return kOps; }

}  // namespace blobsmith::ops
