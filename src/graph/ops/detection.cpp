// Detection heads: DetectionOutput, RegionYolo and the ExperimentalDetectron operations (front-end spec §15.1).
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kDetectionOutput[] = {{"num_classes", Integer, kMandatory},
                                              {"background_label_id", Integer, "0"},
                                              {"top_k", Integer, "-1"},
                                              {"variance_encoded_in_target", Flag, "false"},
                                              {"keep_top_k", Integers, kMandatory},
                                              {"code_type", Text, "caffe.PriorBoxParameter.CORNER"},
                                              {"share_location", Flag, "true"},
                                              {"nms_threshold", Real, kMandatory},
                                              {"confidence_threshold", Real, "0"},
                                              {"clip_after_nms", Flag, "false"},
                                              {"clip_before_nms", Flag, "false"},
                                              {"decrease_label_id", Flag, "false"},
                                              {"normalized", Flag, "false"},
                                              {"input_height", Integer, "1"},
                                              {"input_width", Integer, "1"},
                                              {"objectness_score", Real, "0"}};
constexpr AttributeSpec kRegionYolo[] = {{"anchors", Reals, ""},
                                         {"axis", Integer, kMandatory},
                                         {"coords", Integer, kMandatory},
                                         {"classes", Integer, kMandatory},
                                         {"end_axis", Integer, kMandatory},
                                         {"num", Integer, kMandatory},
                                         {"do_softmax", Flag, "true"},
                                         {"mask", Integers, ""}};
constexpr AttributeSpec kDetectron[] = {{"score_threshold", Real, kMandatory},
                                        {"nms_threshold", Real, kMandatory},
                                        {"max_delta_log_wh", Real, kMandatory},
                                        {"num_classes", Integer, kMandatory},
                                        {"post_nms_count", Integer, kMandatory},
                                        {"max_detections_per_image", Integer, kMandatory},
                                        {"class_agnostic_box_regression", Flag, "false"},
                                        {"deltas_weights", Reals, kMandatory}};
constexpr AttributeSpec kProposals[] = {{"min_size", Real, kMandatory},
                                        {"nms_threshold", Real, kMandatory},
                                        {"post_nms_count", Integer, kMandatory},
                                        {"pre_nms_count", Integer, kMandatory}};
constexpr AttributeSpec kPriorGrid[] = {{"flatten", Flag, "true"},
                                        {"h", Integer, "0"},
                                        {"w", Integer, "0"},
                                        {"stride_x", Real, "0"},
                                        {"stride_y", Real, "0"}};
constexpr AttributeSpec kFeatures[] = {{"output_size", Integer, kMandatory},
                                       {"sampling_ratio", Integer, kMandatory},
                                       {"pyramid_scales", Integers, kMandatory},
                                       {"aligned", Flag, "false"}};
constexpr AttributeSpec kTopKRois[] = {{"max_rois", Integer, kMandatory}};

void infer_detection_output(Inference& in) {
  const Attributes& a = in.attrs();
  const auto& keep = a.integers("keep_top_k");
  if (in.rank(0) != 2 || in.rank(1) != 2 || in.rank(2) != 3)
    in.fail("Box logits and class predictions must be matrices, proposals must have 3 dimensions");
  if (keep.empty() || a.integer("num_classes") <= 0) in.fail("num_classes and keep_top_k must be positive");
  const int64_t images = in.dim(0, 0), prior_size = a.flag("normalized") ? 4 : 5;
  if (!merge_dims(images, in.dim(1, 0)))
    in.fail("Class predictions' first dimension is not compatible with batch size.");
  const int64_t priors = in.dim(2, 2) == kDynamic ? kDynamic : in.dim(2, 2) / prior_size;
  if (in.dim(2, 2) != kDynamic && in.dim(2, 2) % prior_size != 0)
    in.fail("Proposals' third dimension must be a multiple of current prior_box_size");
  if (priors != kDynamic && !merge_dims(in.dim(1, 1), multiply_dims(priors, a.integer("num_classes"))))
    in.fail("Class predictions' second dimension must be equal to num_prior_boxes * num_classes");
  if (priors != kDynamic &&
      !merge_dims(in.dim(0, 1), multiply_dims(priors, 4 * (a.flag("share_location") ? 1 : a.integer("num_classes")))))
    in.fail("Box logits' second dimension must be equal to num_prior_boxes * num_loc_classes * 4");
  int64_t rows = multiply_dims(images, multiply_dims(priors, a.integer("num_classes")));
  if (keep[0] > 0)
    rows = multiply_dims(images, keep[0]);
  else if (a.integer("top_k") > 0)
    rows = multiply_dims(images, multiply_dims(a.integer("top_k"), a.integer("num_classes")));
  in.output(in.type(), {1, 1, rows, 7});
}

void infer_region_yolo(Inference& in) {
  const Attributes& a = in.attrs();
  if (in.rank() != 4) in.fail("The input must have 4 dimensions");
  if (!a.flag("do_softmax")) {
    const int64_t channels =
        multiply_dims(a.integer("classes") + a.integer("coords") + 1, static_cast<int64_t>(a.integers("mask").size()));
    return in.output(in.type(), {in.dim(0, 0), channels, in.dim(0, 2), in.dim(0, 3)});
  }
  const int64_t axis = in.axis(a.integer("axis"), in.rank()), end = in.axis(a.integer("end_axis"), in.rank());
  in.require(axis <= end, "end_axis comes before axis");
  Shape out(in.shape().begin(), in.shape().begin() + axis);
  out.push_back(product(in.shape(), axis, end + 1));
  out.insert(out.end(), in.shape().begin() + end + 1, in.shape().end());
  in.output(in.type(), std::move(out));
}

void infer_detectron_output(Inference& in) {
  const int64_t rows = in.attrs().integer("max_detections_per_image");
  in.output(in.type(), {rows, 4});
  in.output(ElementType::i32, {rows});
  in.output(in.type(), {rows});
}

void infer_generate_proposals(Inference& in) {
  const int64_t rows = in.attrs().integer("post_nms_count");
  in.output(in.type(), {rows, 4});
  in.output(in.type(), {rows});
}

void infer_prior_grid(Inference& in) {
  if (in.rank(0) != 2 || in.rank(1) != 4 || in.rank(2) != 4)
    in.fail("Priors must be a matrix, the feature map and the image must have 4 dimensions");
  const int64_t given_h = in.attrs().integer("h"), given_w = in.attrs().integer("w");
  const int64_t h = given_h ? given_h : in.dim(1, 2), w = given_w ? given_w : in.dim(1, 3), n = in.dim(0, 0);
  if (in.attrs().flag("flatten"))
    in.output(in.type(), {multiply_dims(multiply_dims(h, w), n), 4});
  else
    in.output(in.type(), {h, w, n, 4});
}

void infer_roi_features(Inference& in) {
  if (in.rank(0) != 2 || in.rank(1) != 4) in.fail("Regions must be a matrix, feature maps must have 4 dimensions");
  const int64_t size = in.attrs().integer("output_size");
  in.output(in.type(), {in.dim(0, 0), in.dim(1, 1), size, size});
  in.output(in.type(), {in.dim(0, 0), 4});
}

void infer_top_k_rois(Inference& in) { in.output(in.type(), {in.attrs().integer("max_rois"), 4}); }

constexpr OpRow kOps[] = {
    {"DetectionOutput", 0, {1, 7}, 3, 5, kDetectionOutput, infer_detection_output},
    {"RegionYolo", 0, {1, 7}, 1, 1, kRegionYolo, infer_region_yolo},
    {"ExperimentalDetectronDetectionOutput", 0, {6, 7}, 4, 4, kDetectron, infer_detectron_output},
    {"ExperimentalDetectronGenerateProposalsSingleImage", 0, {6, 7}, 4, 4, kProposals, infer_generate_proposals},
    {"ExperimentalDetectronPriorGridGenerator", 0, {6, 7}, 3, 3, kPriorGrid, infer_prior_grid},
    {"ExperimentalDetectronROIFeatureExtractor", 0, {6, 7}, 2, kAnyNumber, kFeatures, infer_roi_features},
    {"ExperimentalDetectronTopKROIs", 0, {6, 7}, 2, 2, kTopKRois, infer_top_k_rois},
};

}  // namespace

std::span<const OpRow> detection_ops() { return kOps; }

}  // namespace blobsmith::ops
