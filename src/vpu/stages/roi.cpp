// Stages over regions of interest, Proposal and ExpDetectron among them (stages spec §10).
// Attributes: the names of the layers, as in the dumps of the parameter structs; lists of reals for scales, ratios and
// deltas_weights, an integer list for pyramid_scales. Temps are added by the parsers.
#include "vpu/format/roi.hpp"

#include <algorithm>

#include "vpu/stages/rules.hpp"
#include "vpu/stages/types_check.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

constexpr int64_t kSlack = 64;  // bytes behind each scratch buffer

// ---- orders, strides
// ------------------------------------------------------------------------------------------------------

void proposal_order(const Stage& s, OrderWishes& w) {
  for (int i : {0, 1}) w.inputs.at(static_cast<size_t>(i)) = channels_at(s.input(i)->desc.order, 2);
}

void feature_extractor_order(const Stage& s, OrderWishes& w) {
  const auto levels = s.attrs.integer("levels_num");
  for (int i = 1; i <= levels; ++i) w.inputs.at(static_cast<size_t>(i)) = channels_at(s.input(i)->desc.order, 2);
  w.outputs.at(0) = channels_at(s.output(0)->desc.order, 2);
}

void pooling_strides(const Stage& s, StrideWishes& w) {
  compact_first(s, w);
  w.inputs.at(1) = StridesRequirement::compact();
}

// ---- types
// ----------------------------------------------------------------------------------------------------------------

/// The step that only brings the picture into another layout reads nothing else.
void check_roi_align(const Stage& s) {
  types_check::ports(s, s.inputs().size() == 1 ? "FP16 -> FP16" : "FP16 FP16 S32 -> FP16");
}

// ---- parameters
// -----------------------------------------------------------------------------------------------------------

std::unique_ptr<StageParams> encode_proposal(const Stage& s) {
  auto p = std::make_unique<ProposalParams>();
  p->feat_stride = uword(s, "feat_stride");
  p->base_size = uword(s, "base_size");
  p->min_size = uword(s, "min_size");
  p->pre_nms_topn = word(s, "pre_nms_topn");
  p->post_nms_topn = word(s, "post_nms_topn");
  p->nms_thresh = real(s, "nms_thresh");
  p->pre_nms_thresh = real(s, "pre_nms_thresh");
  p->box_size_scale = real(s, "box_size_scale");
  p->box_coordinate_scale = real(s, "box_coordinate_scale");
  p->coordinates_offset = real(s, "coordinates_offset");
  p->initial_clip = uword(s, "initial_clip");
  p->clip_before_nms = uword(s, "clip_before_nms");
  p->clip_after_nms = uword(s, "clip_after_nms");
  p->normalize = uword(s, "normalize");
  p->shift_anchors = uword(s, "shift_anchors");
  p->round_ratios = uword(s, "round_ratios");
  p->swap_xy = uword(s, "swap_xy");
  p->scales = reals(s.attrs.get<std::vector<double>>("scales"));
  p->ratios = reals(s.attrs.get<std::vector<double>>("ratios"));
  return p;
}

std::unique_ptr<StageParams> encode_roi_pooling(const Stage& s) {
  auto p = std::make_unique<RoiPoolingParams>();
  p->pooled_w = uword(s, "pooled_w");
  p->pooled_h = uword(s, "pooled_h");
  p->spatial_scale = real(s, "spatial_scale");
  p->method = uword(s, "method");
  return p;
}

std::unique_ptr<StageParams> encode_psroi_pooling(const Stage& s) {
  auto p = std::make_unique<PsRoiPoolingParams>();
  p->group_size = uword(s, "group_size");
  p->output_dim = uword(s, "output_dim");
  p->spatial_scale = real(s, "spatial_scale");
  return p;
}

std::unique_ptr<StageParams> encode_roi_align(const Stage& s) {
  auto p = std::make_unique<RoiAlignParams>();
  p->pooled_w = uword(s, "pooled_w");
  p->pooled_h = uword(s, "pooled_h");
  p->sampling_ratio = uword(s, "sampling_ratio");
  p->spatial_scale = real(s, "spatial_scale");
  p->mode = word(s, "mode");
  p->step = word(s, "step");
  return p;
}

std::unique_ptr<StageParams> encode_feature_extractor(const Stage& s) {
  auto p = std::make_unique<RoiFeatureExtractorParams>();
  p->pooled_w = uword(s, "pooled_w");
  p->pooled_h = uword(s, "pooled_h");
  p->sampling_ratio = uword(s, "sampling_ratio");
  p->levels_num = uword(s, "levels_num");
  p->use_output_rois = uword(s, "use_output_rois");
  p->pyramid_scales.fill(1);
  const auto& scales = s.attrs.integers("pyramid_scales");
  for (size_t i = 0; i < std::min(scales.size(), p->pyramid_scales.size()); ++i)
    p->pyramid_scales[i] = static_cast<int32_t>(scales[i]);
  return p;
}

std::unique_ptr<StageParams> encode_exp_detection_output(const Stage& s) {
  auto p = std::make_unique<ExpDetectionOutputParams>();
  const auto& weights = s.attrs.get<std::vector<double>>("deltas_weights");
  for (size_t i = 0; i < std::min(weights.size(), p->deltas_weights.size()); ++i)
    p->deltas_weights[i] = static_cast<float>(weights[i]);
  p->max_delta_log_wh = real(s, "max_delta_log_wh");
  p->nms_threshold = real(s, "nms_threshold");
  p->score_threshold = real(s, "score_threshold");
  p->max_detections_per_image = word(s, "max_detections_per_image");
  p->num_classes = word(s, "num_classes");
  p->post_nms_count = word(s, "post_nms_count");
  p->class_agnostic_box_regression = word(s, "class_agnostic_box_regression");
  return p;
}

std::unique_ptr<StageParams> encode_exp_generate_proposals(const Stage& s) {
  auto p = std::make_unique<ExpGenerateProposalsParams>();
  p->min_size = real(s, "min_size");
  p->nms_threshold = real(s, "nms_threshold");
  p->pre_nms_topn = word(s, "pre_nms_topn");
  p->post_nms_topn = word(s, "post_nms_topn");
  return p;
}

std::unique_ptr<StageParams> encode_exp_prior_grid(const Stage& s) {
  auto p = std::make_unique<ExpPriorGridGeneratorParams>();
  p->flatten = word(s, "flatten");
  p->grid_w = word(s, "grid_w");
  p->grid_h = word(s, "grid_h");
  p->stride_w = real(s, "stride_w");
  p->stride_h = real(s, "stride_h");
  return p;
}

std::unique_ptr<StageParams> encode_exp_top_k_rois(const Stage& s) {
  auto p = std::make_unique<ExpTopKRoisParams>();
  p->max_rois = word(s, "max_rois");
  return p;
}

// ---- ROIFeatureExtractor's buffers: the rois, the levels, one or two outputs, the temp
// ---------------------------------------

std::vector<const Data*> feature_extractor_buffers(const Stage& s) {
  std::vector<const Data*> r(s.inputs().begin(), s.inputs().end());
  r.insert(r.end(), s.outputs().begin(), s.outputs().end());
  r.insert(r.end(), s.temps().begin(), s.temps().end());
  return r;
}

constexpr StageDef kDefs[] = {
    {.type = StageType::Proposal,
     .order = proposal_order,
     .strides = compact_all,
     .types = "FP16 FP16 FP16 -> FP16 FP16",
     .encode = encode_proposal},
    {.type = StageType::ROIPooling,
     .order = channels_outer,
     .strides = pooling_strides,
     .types = "FP16 FP16 -> FP16",
     .encode = encode_roi_pooling},
    {.type = StageType::PSROIPooling,
     .order = channels_outer,
     .strides = pooling_strides,
     .types = "FP16 FP16 -> FP16",
     .encode = encode_psroi_pooling},
    {.type = StageType::ROIAlign,
     .order = channels_outer,
     .strides = compact_all,
     .check_types = check_roi_align,
     .encode = encode_roi_align},
    {.type = StageType::ROIFeatureExtractor,
     .order = feature_extractor_order,
     .strides = compact_all,
     .types = "FP16 FP16* -> FP16*",
     .encode = encode_feature_extractor,
     .buffers = feature_extractor_buffers},
    {.type = StageType::ExpDetectionOutput,
     .strides = compact_all,
     .types = "FP16 FP16 FP16 FP16 -> FP16 S32 FP16",
     .encode = encode_exp_detection_output},
    {.type = StageType::ExpGenerateProposals,
     .strides = compact_all,
     .types = "FP16 FP16 FP16 FP16 -> FP16 FP16",
     .encode = encode_exp_generate_proposals},
    {.type = StageType::ExpPriorGridGenerator,
     .strides = compact_all,
     .types = "FP16 FP16 FP16 -> FP16",
     .encode = encode_exp_prior_grid},
    {.type = StageType::ExpTopKROIs,
     .strides = compact_all,
     .types = "FP16 FP16 -> FP16",
     .encode = encode_exp_top_k_rois},
};

}  // namespace

int64_t proposal_temp_bytes(int64_t height, int64_t width, int64_t anchors, int64_t pre_nms_topn, int64_t shaves) {
  const int64_t boxes = std::min(anchors * height * width, pre_nms_topn);
  return (height + 16) * width * anchors * 5 * 4 +
         shaves * std::max(2 * (1 + boxes) * 8, (1 + boxes) * 8 + anchors * 4);
}

int64_t exp_generate_proposals_temp_bytes(int64_t height, int64_t width, int64_t channels, int64_t pre_nms_topn,
                                          int64_t post_nms_topn) {
  constexpr int64_t kProposalBytes = 16;
  return 2 * (kProposalBytes * height * width * channels + kSlack) + (pre_nms_topn + kSlack) +
         (4 * post_nms_topn + kSlack);
}

int64_t roi_feature_extractor_temp_bytes(int64_t rois, int64_t channels, int64_t levels, int64_t width, int64_t height,
                                         int64_t pooled_width, int64_t pooled_height) {
  int64_t total = 0;
  for (int64_t bytes : {4 * rois, 8 * rois, 4 * rois, 2 * pooled_width * pooled_height * channels * rois,
                        4 * (levels + 1), 4 * rois, 2 * width * height * channels})
    total += bytes + kSlack;
  return total;
}

std::span<const StageDef> roi_defs() { return kDefs; }

}  // namespace blobsmith::vpu
