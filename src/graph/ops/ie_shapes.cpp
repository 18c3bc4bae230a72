// Legacy layers with arithmetic of their own: convolutions, resizing, selection (front-end spec §5.6, §6.2).
#include <algorithm>

#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr std::string_view kPadModes = "explicit|same_upper|same_lower|valid";
constexpr AttributeSpec kIeConvolution[] = {{"strides", Integers, ""},
                                            {"dilations", Integers, ""},
                                            {"pads_begin", Integers, ""},
                                            {"pads_end", Integers, ""},
                                            {"auto_pad", Choice, "explicit", kPadModes},
                                            {"group", Integer, "1"}};
// `output_shape`: the spatial sizes, where the opset operation stated them.
constexpr AttributeSpec kDeconvolution[] = {{"strides", Integers, ""},
                                            {"dilations", Integers, ""},
                                            {"pads_begin", Integers, ""},
                                            {"pads_end", Integers, ""},
                                            {"auto_pad", Choice, "explicit", kPadModes},
                                            {"group", Integer, "1"},
                                            {"output_padding", Integers, ""},
                                            {"output_shape", Integers, kOptional}};
// `output_shape`: where a Reshape in front was dropped and the input keeps its four dimensions.
constexpr AttributeSpec kFullyConnected[] = {{"output_shape", Integers, kOptional}};
constexpr AttributeSpec kInterp[] = {{"height", Integer, kMandatory}, {"width", Integer, kMandatory},
                                     {"align_corners", Flag, "true"}, {"antialias", Flag, "false"},
                                     {"mode", Text, "linear"},        {"pad_beg", Integer, "0"},
                                     {"pad_end", Integer, "0"}};
constexpr AttributeSpec kResample[] = {
    {"mode", Text, kMandatory}, {"antialias", Flag, "false"}, {"factor", Integer, "0"}};
constexpr AttributeSpec kIeOneHot[] = {{"axis", Integer, kMandatory},
                                       {"depth", Integer, kMandatory},
                                       {"on_value", Real, kMandatory},
                                       {"off_value", Real, kMandatory},
                                       {"output_type", Type, "f32"}};
constexpr AttributeSpec kIeTopK[] = {{"axis", Integer, kMandatory},
                                     {"mode", Text, kMandatory},
                                     {"sort", Text, kMandatory},
                                     {"index_element_type", Type, "i32"}};

void infer_ie_convolution(Inference& in) {
  if (in.rank(0) != in.rank(1) || in.rank() < 3) in.fail("Data and filters rank do not match");
  const int64_t group = in.attrs().integer("group");
  if (!merge_dims(in.dim(0, 1), multiply_dims(in.dim(1, 1), group)))
    in.fail("Data batch channel count does not match filter input channel count");
  const std::vector<int64_t> input = spatial(in.shape());
  const Windows w = read_windows(in, input, spatial(in.shape(1)));
  in.output(in.type(), concat({in.dim(0, 0), in.dim(1, 0)}, window_outputs(in, input, w)));
}

void infer_deconvolution(Inference& in) {
  if (in.rank(0) != in.rank(1) || in.rank() < 3) in.fail("Data and filters rank do not match");
  if (!merge_dims(in.dim(0, 1), in.dim(1, 0)))
    in.fail("Data batch channel count does not match filter input channel count");
  const size_t rank = in.shape().size() - 2;
  const auto strides = spatial_list(in, "strides", rank, 1), dilations = spatial_list(in, "dilations", rank, 1),
             begin = spatial_list(in, "pads_begin", rank, 0), end = spatial_list(in, "pads_end", rank, 0);
  const auto extra = spatial_list(in, "output_padding", rank, 0);
  Shape out{in.dim(0, 0), in.dim(1, 1)};
  for (size_t i = 0; i < rank; ++i) {
    const int64_t d = in.shape()[i + 2], k = in.shape(1)[i + 2];
    out.push_back(d == kDynamic ? kDynamic
                                : strides[i] * (d - 1) + dilations[i] * (k - 1) + 1 - begin[i] - end[i] + extra[i]);
  }
  if (in.attrs().has("output_shape")) {
    const auto& given = in.attrs().integers("output_shape");
    if (given.size() != rank) in.fail("output_shape must have one value per spatial axis");
    std::ranges::copy(given, out.begin() + 2);
  }
  in.output(in.type(), std::move(out));
}

void infer_fully_connected(Inference& in) {
  if (in.rank(1) != 2) in.fail("The weights must be a matrix");
  if (in.attrs().has("output_shape")) return in.output(in.type(), in.attrs().integers("output_shape"));
  const int64_t outputs = in.dim(1, 0), inner = in.dim(1, 1);
  Shape out = in.shape();
  if (!out.empty() && merge_dims(out.back(), inner)) {
    out.back() = outputs;
  } else {
    if (out.empty() || !merge_dims(product(out, 1, in.rank()), inner)) in.fail("The weights don't fit the input");
    out = {out[0], outputs};
  }
  in.output(in.type(), std::move(out));
}

void infer_interp(Inference& in) {
  if (in.rank() != 4) in.fail("The input must have 4 dimensions");
  in.output(in.type(), {in.dim(0, 0), in.dim(0, 1), in.attrs().integer("height"), in.attrs().integer("width")});
}

void infer_resample(Inference& in) {
  Shape out = in.shape();
  if (in.input_count() > 1) {
    out = in.constant_values(1, "output shape");
  } else {
    in.require(in.attrs().integer("factor") > 0, "The factor must be positive");
    for (size_t i = 2; i < out.size(); ++i) out[i] = multiply_dims(out[i], in.attrs().integer("factor"));
  }
  in.output(in.type(), std::move(out));
}

void infer_ie_one_hot(Inference& in) {
  Shape out = in.shape();
  out.insert(out.begin() + in.axis(in.attrs().integer("axis"), in.rank() + 1), in.attrs().integer("depth"));
  in.output(in.type_attribute("output_type"), std::move(out));
}

void infer_ie_top_k(Inference& in) {
  const auto k = in.value(1);
  Shape out = in.shape();
  auto& d = out[static_cast<size_t>(in.axis(in.attrs().integer("axis"), in.rank()))];
  if (k && *k > 0) d = *k;
  in.output(in.type(), out);
  in.output(in.type_attribute("index_element_type"), out);
}

constexpr OpRow kOps[] = {
    {"ConvolutionIE", 0, {}, 2, 3, kIeConvolution, infer_ie_convolution},
    {"DeconvolutionIE", 0, {}, 2, 3, kDeconvolution, infer_deconvolution},
    {"FullyConnected", 0, {}, 2, 3, kFullyConnected, infer_fully_connected},
    {"Interp", 0, {}, 1, 2, kInterp, infer_interp},
    {"ResampleV2", 0, {}, 1, 2, kResample, infer_resample},
    {"OneHotIE", 0, {}, 1, 1, kIeOneHot, infer_ie_one_hot},
    {"TopKIE", 0, {}, 2, 2, kIeTopK, infer_ie_top_k},
    {"StaticShapeTopK", 0, {}, 2, 2, kIeTopK, infer_ie_top_k},
};

}  // namespace

std::span<const OpRow> legacy_ops() { return kOps; }

}  // namespace blobsmith::ops
