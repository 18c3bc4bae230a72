// Legacy layers that are mostly attributes: Power, ScaleShift, Crop, Tile, Pad, Norm … and the static forms of
// dynamic operations (front-end spec §5.6, §5.7, §6.2).
#include <algorithm>

#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kPower[] = {{"power", Real, "1"}, {"scale", Real, "1"}, {"shift", Real, "0"}};
constexpr AttributeSpec kRelu[] = {{"negative_slope", Real, kMandatory}};
constexpr AttributeSpec kEltwise[] = {{"operation", Choice, kMandatory, "sum|prod|max|sub|min|div|pow"}};
constexpr AttributeSpec kCrop[] = {
    {"axes", Integers, kMandatory}, {"dim", Integers, kMandatory}, {"offset", Integers, kMandatory}};
constexpr AttributeSpec kTile[] = {{"axis", Integer, kMandatory}, {"tiles", Integer, kMandatory}};
constexpr AttributeSpec kIePad[] = {{"pads_begin", Integers, kMandatory},
                                    {"pads_end", Integers, kMandatory},
                                    {"pad_mode", Text, kMandatory},
                                    {"pad_value", Real, "0"}};
constexpr AttributeSpec kIeNormalize[] = {
    {"eps", Real, kMandatory}, {"across_spatial", Flag, kMandatory}, {"channel_shared", Flag, kMandatory}};
constexpr AttributeSpec kIeLrn[] = {{"alpha", Real, kMandatory},
                                    {"beta", Real, kMandatory},
                                    {"bias", Real, kMandatory},
                                    {"size", Integer, kMandatory},
                                    {"region", Choice, kMandatory, "across|same"}};
constexpr AttributeSpec kSwish[] = {{"alpha", Real, "1"}};
constexpr AttributeSpec kSelu[] = {{"alpha", Real, kMandatory}, {"gamma", Real, kMandatory}};
constexpr AttributeSpec kHardSigmoid[] = {{"alpha", Real, kMandatory}, {"beta", Real, kMandatory}};
constexpr AttributeSpec kIeProposal[] = {{"base_size", Integer, kMandatory},     {"pre_nms_topn", Integer, kMandatory},
                                         {"post_nms_topn", Integer, kMandatory}, {"nms_thresh", Real, kMandatory},
                                         {"feat_stride", Integer, "1"},          {"min_size", Integer, "1"},
                                         {"ratio", Reals, kMandatory},           {"scale", Reals, kMandatory},
                                         {"clip_before_nms", Flag, "true"},      {"clip_after_nms", Flag, "false"},
                                         {"normalize", Flag, "false"},           {"box_size_scale", Real, "1"},
                                         {"box_coordinate_scale", Real, "1"},    {"framework", Text, ""},
                                         {"infer_probs", Flag, "false"}};
constexpr AttributeSpec kStaticNms[] = {{"box_encoding", Text, "corner"},
                                        {"center_point_box", Flag, kOptional},
                                        {"sort_result_descending", Flag, "true"},
                                        {"output_type", Type, "i32"}};
constexpr AttributeSpec kStaticType[] = {{"output_type", Type, "i32"}};
constexpr AttributeSpec kStaticReshape[] = {{"special_zero", Flag, "true"}};
constexpr AttributeSpec kStaticBroadcast[] = {{"mode", Text, "numpy"}};

void infer_eltwise(Inference& in) { in.output(in.type(), elementwise_shape(in, in.shape(0), in.shape(1))); }

void infer_crop(Inference& in) {
  const auto &axes = in.attrs().integers("axes"), &dim = in.attrs().integers("dim"),
             &offset = in.attrs().integers("offset");
  if (axes.size() != dim.size() || axes.size() != offset.size())
    in.fail("axes and dim needs to have same number of values");
  Shape out = in.shape();
  for (size_t i = 0; i < axes.size(); ++i) {
    auto& d = out[static_cast<size_t>(in.axis(axes[i], in.rank()))];
    if (d != kDynamic && (offset[i] < 0 || dim[i] < 0 || dim[i] + offset[i] > d))
      in.fail("Crop offset and dim are out of the input's range");
    d = dim[i];
  }
  in.output(in.type(), std::move(out));
}

void infer_ie_tile(Inference& in) {
  Shape out = in.shape();
  auto& d = out[static_cast<size_t>(in.axis(in.attrs().integer("axis"), in.rank()))];
  d = multiply_dims(d, in.attrs().integer("tiles"));
  in.output(in.type(), std::move(out));
}

void infer_ie_pad(Inference& in) {
  const auto &begin = in.attrs().integers("pads_begin"), &end = in.attrs().integers("pads_end");
  Shape out = in.shape();
  if (begin.size() != out.size() || end.size() != out.size()) in.fail("Pads must have one value per axis");
  for (size_t i = 0; i < out.size(); ++i) out[i] = add_dims(out[i], begin[i] + end[i]);
  in.output(in.type(), std::move(out));
}

void infer_proposal(Inference& in) {
  const int64_t rows = multiply_dims(in.dim(0, 0), in.attrs().integer("post_nms_topn"));
  in.output(in.type(), {rows, 5});
  if (in.attrs().flag("infer_probs")) in.output(in.type(), {rows});
}

// ---- static forms: the output has room for the largest result, further outputs say how much of it is used ----

void infer_static_non_zero(Inference& in) {
  const ElementType type = in.type_attribute("output_type");
  in.output(type, {in.rank(), element_count(in.shape())});
  in.output(type, {2});
}

void infer_static_nms(Inference& in) {
  const ElementType type = in.type_attribute("output_type");
  const auto per_class = in.value(2);
  if (!per_class)
    in.fail("Check 'outIndicesShape.is_static()' failed: the number of boxes to select is not a constant");
  const int64_t boxes = std::min(in.dim(0, 1), *per_class);
  const int64_t rows = multiply_dims(multiply_dims(in.dim(1, 0), in.dim(1, 1)), boxes);
  in.output(type, {rows, 3});
  in.output(ElementType::f32, {rows, 3});
  in.output(type, {2});  // the real shape of the others
}

// Its shape is what the transform gave it.
void infer_kept(Inference& in) {
  in.require(in.node().output_count() > 0, "Its output shape was not stated");
  for (int i = 0; i < in.node().output_count(); ++i) in.output(in.node().element_type(i), in.node().shape(i));
}

void infer_out_shape_of_reshape(Inference& in) { in.output(in.replaceable_type(in.type(1)), {in.dim(1, 0)}); }

constexpr OpRow like_input(std::string_view type, int inputs, std::span<const AttributeSpec> attrs) {
  return {type, 0, {}, inputs, inputs, attrs, infer_like_input};
}

constexpr OpRow kOps[] = {
    like_input("PowerIE", 1, kPower),
    like_input("ScaleShiftIE", 3, {}),
    like_input("ReLUIE", 1, kRelu),
    like_input("NormalizeIE", 2, kIeNormalize),
    like_input("LRN_IE", 1, kIeLrn),
    like_input("SwishIE", 1, kSwish),
    like_input("SeluIE", 1, kSelu),
    like_input("HardSigmoid_IE", 1, kHardSigmoid),
    like_input("GatherTreeIE", 4, {}),
    {"Eltwise", 0, {}, 2, 2, kEltwise, infer_eltwise},
    {"CropIE", 0, {}, 1, 1, kCrop, infer_crop},
    {"TileIE", 0, {}, 1, 1, kTile, infer_ie_tile},
    {"PadIE", 0, {}, 1, 1, kIePad, infer_ie_pad},
    {"ProposalIE", 0, {}, 3, 3, kIeProposal, infer_proposal},
    {"DynamicShapeResolver", 0, {}, 2, 2, {}, infer_like_input},
    {"StaticShapeNonZero", 0, {}, 1, 1, kStaticType, infer_static_non_zero},
    {"StaticShapeNonMaxSuppression", 0, {}, 2, 6, kStaticNms, infer_static_nms},
    {"StaticShapeReshape", 0, {}, 2, 2, kStaticReshape, infer_kept},
    {"StaticShapeBroadcast", 0, {}, 2, 3, kStaticBroadcast, infer_kept},
    {"OutShapeOfReshape", 0, {}, 2, 2, kStaticReshape, infer_out_shape_of_reshape},
};

}  // namespace

std::span<const OpRow> legacy_layer_ops() { return kOps; }

}  // namespace blobsmith::ops
