// Parameters of the region-of-interest stages, Proposal and ExpDetectron among them (stages spec §10).
#pragma once
#include <array>

#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

struct ProposalParams : StageParams {
  uint32_t feat_stride = 16, base_size = 16, min_size = 16;
  int32_t pre_nms_topn = 6000, post_nms_topn = 300;
  float nms_thresh = 0.7f, pre_nms_thresh = 0.1f, box_size_scale = 1, box_coordinate_scale = 1, coordinates_offset = 1;
  uint32_t initial_clip = 0, clip_before_nms = 1, clip_after_nms = 0, normalize = 0, shift_anchors = 0,
           round_ratios = 1, swap_xy = 0;
  std::vector<float> scales, ratios;
  void fields(FieldArchive& a) override {
    a.word("feat_stride", feat_stride);
    a.word("base_size", base_size);
    a.word("min_size", min_size);
    a.word("pre_nms_topn", pre_nms_topn);
    a.word("post_nms_topn", post_nms_topn);
    a.word("nms_thresh", nms_thresh);
    a.word("pre_nms_thresh", pre_nms_thresh);
    a.word("box_size_scale", box_size_scale);
    a.word("box_coordinate_scale", box_coordinate_scale);
    a.word("coordinates_offset", coordinates_offset);
    a.word("initial_clip", initial_clip);
    a.word("clip_before_nms", clip_before_nms);
    a.word("clip_after_nms", clip_after_nms);
    a.word("normalize", normalize);
    a.word("shift_anchors", shift_anchors);
    a.word("round_ratios", round_ratios);
    a.word("swap_xy", swap_xy);
    a.words("scales", scales);
    a.words("ratios", ratios);
  }
};

struct RoiPoolingParams : StageParams {
  uint32_t pooled_w = 1, pooled_h = 1;
  float spatial_scale = 1;
  uint32_t method = 0;  ///< 0 max, 1 bilinear
  void fields(FieldArchive& a) override {
    a.word("pooled_w", pooled_w);
    a.word("pooled_h", pooled_h);
    a.word("spatial_scale", spatial_scale);
    a.word("method", method);
  }
};

struct PsRoiPoolingParams : StageParams {
  uint32_t group_size = 1, output_dim = 1;
  float spatial_scale = 1;
  void fields(FieldArchive& a) override {
    a.word("group_size", group_size);
    a.word("output_dim", output_dim);
    a.word("spatial_scale", spatial_scale);
  }
};

struct RoiAlignParams : StageParams {
  uint32_t pooled_w = 1, pooled_h = 1, sampling_ratio = 0;
  float spatial_scale = 1;
  int32_t mode = 0;  ///< 0 average, 1 max
  int32_t step = 2;  ///< 0 repacking, 1 on channel-minor data, 2 plain
  void fields(FieldArchive& a) override {
    a.word("pooled_w", pooled_w);
    a.word("pooled_h", pooled_h);
    a.word("sampling_ratio", sampling_ratio);
    a.word("spatial_scale", spatial_scale);
    a.word("mode", mode);
    a.word("step", step);
  }
};

struct RoiFeatureExtractorParams : StageParams {
  uint32_t pooled_w = 1, pooled_h = 1, sampling_ratio = 0, levels_num = 0, use_output_rois = 0;
  std::array<int32_t, 16> pyramid_scales{};
  void fields(FieldArchive& a) override {
    a.word("pooled_w", pooled_w);
    a.word("pooled_h", pooled_h);
    a.word("sampling_ratio", sampling_ratio);
    a.word("levels_num", levels_num);
    a.word("use_output_rois", use_output_rois);
    for (int32_t& s : pyramid_scales) a.word("pyramid_scales", s);
  }
};

struct ExpDetectionOutputParams : StageParams {
  std::array<float, 4> deltas_weights{};
  float max_delta_log_wh = 0, nms_threshold = 0, score_threshold = 0;
  int32_t max_detections_per_image = 0, num_classes = 0, post_nms_count = 0, class_agnostic_box_regression = 0;
  void fields(FieldArchive& a) override {
    for (float& w : deltas_weights) a.word("deltas_weights", w);
    a.word("max_delta_log_wh", max_delta_log_wh);
    a.word("nms_threshold", nms_threshold);
    a.word("score_threshold", score_threshold);
    a.word("max_detections_per_image", max_detections_per_image);
    a.word("num_classes", num_classes);
    a.word("post_nms_count", post_nms_count);
    a.word("class_agnostic_box_regression", class_agnostic_box_regression);
  }
};

struct ExpGenerateProposalsParams : StageParams {
  float min_size = 0, nms_threshold = 0;
  int32_t pre_nms_topn = 0, post_nms_topn = 0;
  void fields(FieldArchive& a) override {
    a.word("min_size", min_size);
    a.word("nms_threshold", nms_threshold);
    a.word("pre_nms_topn", pre_nms_topn);
    a.word("post_nms_topn", post_nms_topn);
  }
};

struct ExpPriorGridGeneratorParams : StageParams {
  int32_t flatten = 0, grid_w = 0, grid_h = 0;
  float stride_w = 0, stride_h = 0;
  void fields(FieldArchive& a) override {
    a.word("flatten", flatten);
    a.word("grid_w", grid_w);
    a.word("grid_h", grid_h);
    a.word("stride_w", stride_w);
    a.word("stride_h", stride_h);
  }
};

struct ExpTopKRoisParams : StageParams {
  int32_t max_rois = 0;
  void fields(FieldArchive& a) override { a.word("max_rois", max_rois); }
};

// Scratch memory in bytes; `height`, `width` and `channels` are those of the scores (Proposal: of input 0).
int64_t proposal_temp_bytes(int64_t height, int64_t width, int64_t anchors, int64_t pre_nms_topn, int64_t shaves);
int64_t exp_generate_proposals_temp_bytes(int64_t height, int64_t width, int64_t channels, int64_t pre_nms_topn,
                                          int64_t post_nms_topn);
/// `width` and `height` are those of the first level.
int64_t roi_feature_extractor_temp_bytes(int64_t rois, int64_t channels, int64_t levels, int64_t width, int64_t height,
                                         int64_t pooled_width, int64_t pooled_height);

std::string feature_extractor_role(const StageParams& params, int k, int count);

inline constexpr StageFormat kRoiFormats[] = {
    {.type = StageType::Proposal,
     .make_params = make_params_of<ProposalParams>,
     .buffer_order = "in0 out0 out1 in1 in2 temp0"},
    {.type = StageType::ROIPooling, .make_params = make_params_of<RoiPoolingParams>},
    {.type = StageType::PSROIPooling, .make_params = make_params_of<PsRoiPoolingParams>},
    {.type = StageType::ROIAlign, .make_params = make_params_of<RoiAlignParams>, .buffer_order = "in* out0"},
    {.type = StageType::ROIFeatureExtractor,
     .make_params = make_params_of<RoiFeatureExtractorParams>,
     .role = feature_extractor_role},
    {.type = StageType::ExpDetectionOutput,
     .make_params = make_params_of<ExpDetectionOutputParams>,
     .buffer_order = "in0 in1 in2 in3 out0 out1 out2"},
    {.type = StageType::ExpGenerateProposals,
     .make_params = make_params_of<ExpGenerateProposalsParams>,
     .buffer_order = "in0 in1 in2 in3 out0 out1 temp0"},
    {.type = StageType::ExpPriorGridGenerator,
     .make_params = make_params_of<ExpPriorGridGeneratorParams>,
     .buffer_order = "in0 in1 in2 out0"},
    {.type = StageType::ExpTopKROIs, .make_params = make_params_of<ExpTopKRoisParams>, .buffer_order = "in0 in1 out0"},
};

}  // namespace blobsmith::vpu
