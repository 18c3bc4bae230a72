// Stages over regions of interest, Proposal and ExpDetectron among them (stages spec §10).
#include "vpu/format/roi.hpp"

#include <algorithm>

#include "vpu/stages/rules.hpp"
#include "vpu/stages/types_check.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

// ---- orders, strides ----

void proposal_order(const Stage& s, OrderRequirements& w) {
  for (int i : {0, 1}) w.inputs.at(static_cast<size_t>(i)) = channels_at(s.input(i)->desc.order, 2);
}

void feature_extractor_order(const Stage& s, OrderRequirements& w) {
  const auto levels = static_cast<int>(s.get<RoiFeatureExtractorParams>().levels_num);
  for (int i = 1; i <= levels; ++i) w.inputs.at(static_cast<size_t>(i)) = channels_at(s.input(i)->desc.order, 2);
  w.outputs.at(0) = channels_at(s.output(0)->desc.order, 2);
}

void pooling_strides(const Stage& s, StrideRequirements& w) {
  compact_first(s, w);
  w.inputs.at(1) = StridesRequirement::compact();
}

// ---- types ----

/// The step that only brings the picture into another layout reads nothing else.
void check_roi_align(const Stage& s) {
  types_check::ports(s, s.inputs().size() == 1 ? "FP16 -> FP16" : "FP16 FP16 S32 -> FP16");
}

// ---- parameters ----

// ---- ROIFeatureExtractor's buffers: the rois, the levels, one or two outputs, the temp ----

std::vector<const Data*> feature_extractor_buffers(const Stage& s) {
  std::vector<const Data*> r(s.inputs().begin(), s.inputs().end());
  r.insert(r.end(), s.outputs().begin(), s.outputs().end());
  r.insert(r.end(), s.temps().begin(), s.temps().end());
  return r;
}

constexpr StageRow kDefs[] = {
    {.type = StageType::Proposal,
     .order = proposal_order,
     .strides = compact_all,
     .types = "FP16 FP16 FP16 -> FP16 FP16"},
    {.type = StageType::ROIPooling, .order = channels_outer, .strides = pooling_strides, .types = "FP16 FP16 -> FP16"},
    {.type = StageType::PSROIPooling,
     .order = channels_outer,
     .strides = pooling_strides,
     .types = "FP16 FP16 -> FP16"},
    {.type = StageType::ROIAlign, .order = channels_outer, .strides = compact_all, .check_types = check_roi_align},
    {.type = StageType::ROIFeatureExtractor,
     .order = feature_extractor_order,
     .strides = compact_all,
     .types = "FP16 FP16* -> FP16*",
     .buffers = feature_extractor_buffers},
    {.type = StageType::ExpDetectionOutput, .strides = compact_all, .types = "FP16 FP16 FP16 FP16 -> FP16 S32 FP16"},
    {.type = StageType::ExpGenerateProposals, .strides = compact_all, .types = "FP16 FP16 FP16 FP16 -> FP16 FP16"},
    {.type = StageType::ExpPriorGridGenerator, .strides = compact_all, .types = "FP16 FP16 FP16 -> FP16"},
    {.type = StageType::ExpTopKROIs, .strides = compact_all, .types = "FP16 FP16 -> FP16"},
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
  return 2 * (kProposalBytes * height * width * channels + kScratchSlack) + (pre_nms_topn + kScratchSlack) +
         (4 * post_nms_topn + kScratchSlack);
}

int64_t roi_feature_extractor_temp_bytes(int64_t rois, int64_t channels, int64_t levels, int64_t width, int64_t height,
                                         int64_t pooled_width, int64_t pooled_height) {
  int64_t total = 0;
  for (int64_t bytes : {4 * rois, 8 * rois, 4 * rois, 2 * pooled_width * pooled_height * channels * rois,
                        4 * (levels + 1), 4 * rois, 2 * width * height * channels})
    total += bytes + kScratchSlack;
  return total;
}

std::span<const StageRow> roi_defs() { return kDefs; }

}  // namespace blobsmith::vpu
