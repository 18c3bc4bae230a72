// Pooling of regions of interest, proposals, anchors' tables (front-end spec §15.1).
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kRoiPooling[] = {{"pooled_h", Integer, kOptional},
                                         {"pooled_w", Integer, kOptional},
                                         {"output_size", Integers, kOptional},
                                         {"spatial_scale", Real, kMandatory},
                                         {"method", Choice, "max", "max|bilinear"}};
constexpr AttributeSpec kPsRoiPooling[] = {
    {"output_dim", Integer, kMandatory}, {"group_size", Integer, "1"},
    {"spatial_scale", Real, kMandatory}, {"spatial_bins_x", Integer, "1"},
    {"spatial_bins_y", Integer, "1"},    {"mode", Choice, "average", "average|bilinear"}};
constexpr AttributeSpec kDeformablePsRoi[] = {{"output_dim", Integer, kMandatory},
                                              {"spatial_scale", Real, kMandatory},
                                              {"group_size", Integer, "1"},
                                              {"mode", Text, "bilinear_deformable"},
                                              {"spatial_bins_x", Integer, "1"},
                                              {"spatial_bins_y", Integer, "1"},
                                              {"trans_std", Real, "1"},
                                              {"part_size", Integer, "1"}};
constexpr AttributeSpec kRoiAlign[] = {{"pooled_h", Integer, kMandatory},
                                       {"pooled_w", Integer, kMandatory},
                                       {"sampling_ratio", Integer, kMandatory},
                                       {"spatial_scale", Real, kMandatory},
                                       {"mode", Choice, kMandatory, "avg|max"}};
constexpr AttributeSpec kProposal[] = {{"base_size", Integer, kMandatory},     {"pre_nms_topn", Integer, kMandatory},
                                       {"post_nms_topn", Integer, kMandatory}, {"nms_thresh", Real, kMandatory},
                                       {"feat_stride", Integer, "1"},          {"min_size", Integer, "1"},
                                       {"ratio", Reals, kMandatory},           {"scale", Reals, kMandatory},
                                       {"clip_before_nms", Flag, "true"},      {"clip_after_nms", Flag, "false"},
                                       {"normalize", Flag, "false"},           {"box_size_scale", Real, "1"},
                                       {"box_coordinate_scale", Real, "1"},    {"framework", Text, ""}};

void output_regions(Inference& in, int64_t channels, int64_t height, int64_t width) {
  in.require(height > 0 && width > 0 && channels != 0, "The pooled size must be positive");
  in.output(in.type(), {in.dim(1, 0), channels, height, width});
}

void check_regions(const Inference& in, int64_t columns) {
  if (in.rank(0) != 4) in.fail("The feature map must have 4 dimensions");
  if (in.rank(1) != 2 || !merge_dims(in.dim(1, 1), columns))
    in.fail("The regions must be a matrix of " + std::to_string(columns) + " columns");
}

void infer_roi_pooling(Inference& in) {
  check_regions(in, 5);
  if (!in.attrs().has("pooled_h") && in.attrs().has("output_size") && in.attrs().integers("output_size").size() == 2) {
    in.attrs().set("pooled_h", in.attrs().integers("output_size")[0]);
    in.attrs().set("pooled_w", in.attrs().integers("output_size")[1]);
  }
  output_regions(in, in.dim(0, 1), in.attrs().integer("pooled_h", 0), in.attrs().integer("pooled_w", 0));
}

void infer_ps_roi_pooling(Inference& in) {
  check_regions(in, 5);
  const int64_t g = in.attrs().integer("group_size");
  output_regions(in, in.attrs().integer("output_dim"), g, g);
}

void infer_roi_align(Inference& in) {
  check_regions(in, 4);
  if (in.rank(2) != 1 || !merge_dims(in.dim(1, 0), in.dim(2, 0)))
    in.fail("The batch indices must be a vector with one value per region");
  output_regions(in, in.dim(0, 1), in.attrs().integer("pooled_h"), in.attrs().integer("pooled_w"));
}

void check_proposal(const Inference& in) {
  if (in.rank(0) != 4 || in.rank(1) != 4) in.fail("Proposal layer shapes class_probs and bbox_deltas must be 4D");
  if (in.rank(2) != 1 || in.dim(2, 0) < 3 || in.dim(2, 0) > 4)
    in.fail("Image_shape 1-D tensor must have => 3 and <= 4 elements");
}

void infer_proposal_0(Inference& in) {
  check_proposal(in);
  in.output(in.type(), {multiply_dims(in.dim(0, 0), in.attrs().integer("post_nms_topn")), 5});
}

void infer_proposal_4(Inference& in) {
  check_proposal(in);
  const int64_t rows = multiply_dims(in.dim(0, 0), in.attrs().integer("post_nms_topn"));
  in.output(in.type(), {rows, 5});
  in.output(in.type(), {rows});
}

constexpr OpRow kOps[] = {
    {"ROIPooling", 0, {1, 7}, 2, 2, kRoiPooling, infer_roi_pooling},
    {"PSROIPooling", 0, {1, 7}, 2, 2, kPsRoiPooling, infer_ps_roi_pooling},
    {"DeformablePSROIPooling", 0, {1, 7}, 2, 3, kDeformablePsRoi, infer_ps_roi_pooling},
    {"ROIAlign", 0, {3, 7}, 3, 3, kRoiAlign, infer_roi_align},
    {"Proposal", 0, {1, 3}, 3, 3, kProposal, infer_proposal_0},
    {"Proposal", 4, {4, 7}, 3, 3, kProposal, infer_proposal_4},
};

}  // namespace

std::span<const OpRow> roi_ops() { return kOps; }

}  // namespace blobsmith::ops
