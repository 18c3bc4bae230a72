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
  const Windows w = read_windows(in, spatial(in.shape()), spatial(in.shape(filters), first_spatial));
  in.output(in.type(), concat({in.dim(0, 0), output_channels}, window_outputs(in, w)));
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

// With an output shape, same_* pads follow from it: the odd element goes to the begin for same_upper, else to the end.
// Explicit pads stay as they are, whether or not they lead to that shape.
std::vector<int64_t> outputs_from_shape(Inference& in, Windows& w, const std::vector<int64_t>& extra) {
  const std::vector<int64_t> out = in.constant_values(2, "output shape");
  if (out.size() != w.input.size()) in.fail("Spatial shape of output must have one value per spatial axis");
  const std::string mode = in.attrs().text("auto_pad");
  for (size_t i = 0; i < out.size(); ++i) {
    in.require(out[i] > 0 && out[i] < (int64_t{1} << 31), "Spatial shape of output is out of range");
    if (mode == "valid") w.pads_begin[i] = w.pads_end[i] = 0;
    if (!mode.starts_with("same") || w.input[i] == kDynamic || w.kernel[i] == kDynamic) continue;
    const int64_t total = std::max<int64_t>(
        w.strides[i] * (w.input[i] - 1) + w.dilations[i] * (w.kernel[i] - 1) + 1 - out[i] + extra[i], 0);
    w.pads_begin[i] = mode == "same_upper" ? total - total / 2 : total / 2;
    w.pads_end[i] = total - w.pads_begin[i];
  }
  return out;
}

std::vector<int64_t> outputs_from_input(Inference& in, Windows& w, const std::vector<int64_t>& extra) {
  if (in.attrs().text("auto_pad") != "explicit") {
    std::ranges::fill(w.pads_begin, 0);
    std::ranges::fill(w.pads_end, 0);
  }
  std::vector<int64_t> out;
  for (size_t i = 0; i < w.input.size(); ++i)
    out.push_back(w.input[i] == kDynamic || w.kernel[i] == kDynamic
                      ? kDynamic
                      : w.strides[i] * (w.input[i] - 1) + w.dilations[i] * (w.kernel[i] - 1) + 1 - w.pads_begin[i] -
                            w.pads_end[i] + extra[i]);
  in.require(std::ranges::all_of(out, [](int64_t d) { return d > 0 || d == kDynamic; }), "Its pads leave no output");
  return out;
}

void backprop(Inference& in, int64_t output_channels, size_t first_spatial) {
  const std::vector<int64_t> input = spatial(in.shape()), kernel = spatial(in.shape(1), first_spatial);
  const size_t rank = input.size();
  if (kernel.size() != rank) in.fail("Data and filters rank do not match");
  Windows w{input,
            kernel,
            spatial_list(in, "strides", rank, 1),
            spatial_list(in, "dilations", rank, 1),
            spatial_list(in, "pads_begin", rank, 0),
            spatial_list(in, "pads_end", rank, 0)};
  const std::vector<int64_t> extra = spatial_list(in, "output_padding", rank, 0);
  for (size_t i = 0; i < rank; ++i)
    in.require(w.strides[i] > 0 && w.dilations[i] > 0 && extra[i] >= 0, "Strides and dilations must be positive");
  const std::vector<int64_t> out =
      in.input_count() > 2 ? outputs_from_shape(in, w, extra) : outputs_from_input(in, w, extra);
  in.attrs().set("pads_begin", w.pads_begin);
  in.attrs().set("pads_end", w.pads_end);
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

constexpr Op kOps[] = {
    {"Convolution", 0, {1, 7}, 2, 2, kConvolution, infer_convolution},
    {"GroupConvolution", 0, {1, 7}, 2, 2, kGroup, infer_group},
    {"ConvolutionBackpropData", 0, {1, 7}, 2, 3, kBackprop, infer_backprop},
    {"GroupConvolutionBackpropData", 0, {1, 7}, 2, 3, kGroupBackprop, infer_group_backprop},
    {"BinaryConvolution", 0, {1, 7}, 2, 2, kBinary, infer_binary},
    {"DeformableConvolution", 0, {1, 7}, 3, 3, kDeformable, infer_deformable},
};

}  // namespace

std::span<const Op> convolution_ops() { return kOps; }

}  // namespace blobsmith::ops
