// Max and average pooling (front-end spec §15.1).
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr std::string_view kPadModes = "explicit|same_upper|same_lower|valid|notset";
constexpr std::string_view kRoundings = "floor|ceil";

constexpr AttributeSpec kMaxPool[] = {{"kernel", Integers, kMandatory}, {"strides", Integers, ""},  {"pads_begin", Integers, ""},
                                      {"pads_end", Integers, ""},       {"rounding_type", Choice, "floor", kRoundings}, {"auto_pad", Choice, "explicit", kPadModes}};
constexpr AttributeSpec kAvgPool[] = {{"kernel", Integers, kMandatory}, {"strides", Integers, ""}, {"pads_begin", Integers, ""}, {"pads_end", Integers, ""},
                                      {"exclude-pad", Flag, "false"}, {"rounding_type", Choice, "floor", kRoundings}, {"auto_pad", Choice, "explicit", kPadModes}};

void infer_pooling(Inference& in) {
  if (in.rank() < 3 || in.rank() > 5) in.fail("Data must have rank 3, 4 or 5");
  if (in.attrs().text("auto_pad") == "notset") in.attrs().set("auto_pad", "explicit");
  Windows w = read_windows(in, spatial(in.shape()), in.attrs().integers("kernel"));
  for (size_t i = 0; i < w.pads_begin.size(); ++i) in.require(w.pads_begin[i] >= 0 && w.pads_end[i] >= 0, "Pads must not be negative");
  w.round_up = in.attrs().text("rounding_type") == "ceil";
  in.output(in.type(), concat({in.dim(0, 0), in.dim(0, 1)}, window_outputs(in, w)));
}

constexpr Op kOps[] = {
    {"MaxPool", 0, {1, 7}, 1, 1, kMaxPool, infer_pooling},
    {"AvgPool", 0, {1, 7}, 1, 1, kAvgPool, infer_pooling},
};

}  // namespace

std::span<const Op> pooling_ops() { return kOps; }

}  // namespace blobsmith::ops
