// Layers over regions of interest (front-end spec §9, stages spec §10).
#include "vpu/format/roi.hpp"

#include <algorithm>

#include "vpu/lowering/attribute_text.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {
namespace {

constexpr int kRepacking = 0, kRoiAlignChwc = 1, kRoiAlign = 2;

std::vector<float> floats(const std::vector<double>& v) { return {v.begin(), v.end()}; }

/// Bins of ROI poolings may be stated as pooled_h and pooled_w or as a list of both.
std::pair<int64_t, int64_t> pooled_size(const LayerContext& c, int64_t fallback) {
  const auto list = c.attrs().get_or<std::vector<int64_t>>("output_size", {});
  if (list.size() == 2) return {list[1], list[0]};
  return {c.attrs().integer("pooled_w", fallback), c.attrs().integer("pooled_h", fallback)};
}

void parse_proposal(LayerContext& c) {
  c.check(c.inputs.size() == 3, "inputs.size() == 3");
  c.check(c.outputs.size() == 1 || c.outputs.size() == 2, "outputs.size() == 1 || outputs.size() == 2");
  c.require_rank(c.in(), 4, 4);
  const Attributes& a = c.attrs();
  std::vector<Data*> outs = c.outputs;
  if (outs.size() < 2) outs.push_back(c.program.add_fake());
  for (Data*& d : outs)
    if (!d) d = c.program.add_fake();
  const std::vector<double> scales = quirks::attribute_list_floats(a.get<std::vector<double>>("scale")),
                            ratios = quirks::attribute_list_floats(a.get<std::vector<double>>("ratio"));
  const int64_t pre_nms_topn = a.integer("pre_nms_topn", 6000);
  const bool tensorflow = c.text("framework") == "tensorflow";

  Stage* s = c.add_stage(StageType::Proposal, c.inputs, outs);
  ProposalParams p;
  p.feat_stride = a.integer("feat_stride", 16);
  p.base_size = a.integer("base_size", 16);
  p.min_size = a.integer("min_size", 16);
  p.pre_nms_topn = pre_nms_topn;
  p.post_nms_topn = a.integer("post_nms_topn", 300);
  p.nms_thresh = c.real("nms_thresh", quirks::attribute_float(0.7));
  p.pre_nms_thresh = c.real("pre_nms_thresh", quirks::attribute_float(0.1));
  p.box_size_scale = c.real("box_size_scale", 1.0);
  p.box_coordinate_scale = c.real("box_coordinate_scale", 1.0);
  p.clip_before_nms = a.flag("clip_before_nms", true);
  p.clip_after_nms = a.flag("clip_after_nms", false);
  p.normalize = a.flag("normalize", false);
  p.coordinates_offset = tensorflow ? 0.0 : 1.0;
  p.initial_clip = tensorflow;
  p.shift_anchors = tensorflow;
  p.round_ratios = !tensorflow;
  p.swap_xy = tensorflow;
  p.scales = floats(scales);
  p.ratios = floats(ratios);
  s->set(p);
  const DataDesc& in = c.in()->desc;
  const auto anchors = static_cast<int64_t>(scales.size() * ratios.size());
  c.program.add_temp(
      s, proposal_temp_bytes(in.dim(Dim::H), in.dim(Dim::W), anchors, pre_nms_topn, c.program.resources.shaves));
}

void parse_roi_pooling(LayerContext& c) {
  c.expect_ports(2, 1);
  const auto [w, h] = pooled_size(c, 7);
  const std::string method = c.text("method", "max");
  c.require(method == "max" || method == "bilinear", "ROIPooling method " + method + " is not supported");
  Stage* s = c.add_stage(StageType::ROIPooling, c.inputs, {c.out()});
  RoiPoolingParams p;
  p.pooled_w = w;
  p.pooled_h = h;
  p.spatial_scale = c.real("spatial_scale", 0.0625);
  p.method = method == "max" ? 0 : 1;
  s->set(p);
}

// quirk: the mode and the numbers of bins of PSROIPooling are not looked at; DeformablePSROIPooling comes here too.
void parse_psroi_pooling(LayerContext& c) {
  c.expect_ports(2, 1);
  Stage* s = c.add_stage(StageType::PSROIPooling, c.inputs, {c.out()});
  PsRoiPoolingParams p;
  p.group_size = c.attrs().integer("group_size", 7);
  p.output_dim = c.attrs().integer("output_dim", 21);
  p.spatial_scale = c.real("spatial_scale", 0.0625);
  s->set(p);
}

void parse_roi_align(LayerContext& c) {
  constexpr int64_t kWideMap = 200;
  c.expect_ports(3, 1);
  c.require_rank(c.in(), 4, 4);
  const std::string mode = c.text("mode", "avg");
  c.require(mode == "avg" || mode == "max", "ROIAlign mode " + mode + " is not supported");
  const auto [w, h] = pooled_size(c, 7);
  const auto set_common = [&, w = w, h = h](Stage* s, int step) {
    RoiAlignParams p;
    p.pooled_w = w;
    p.pooled_h = h;
    p.sampling_ratio = c.attrs().integer("sampling_ratio", 2);
    p.spatial_scale = c.real("spatial_scale", 0.0625);
    p.mode = mode == "avg" ? 0 : 1;
    p.step = step;
    s->set(p);
  };
  std::vector<Data*> ins = c.inputs;
  int step = kRoiAlign;
  if (c.in()->desc.dim(Dim::W) >= kWideMap && mode == "avg" && !c.in()->shape_parent()) {
    step = kRoiAlignChwc;
    ins[0] = c.program.duplicate(c.in(), "@ROIAlignRepacked");
    set_common(c.program.add_stage(c.name() + "Repacking", StageType::ROIAlign, c.origin, {c.in()}, {ins[0]}),
               kRepacking);
  }
  set_common(c.add_stage(StageType::ROIAlign, std::move(ins), {c.out()}), step);
}

// quirk: aligned is not looked at.
void parse_roi_feature_extractor(LayerContext& c) {
  c.check(c.inputs.size() >= 2, "inputs.size() >= 2");
  c.expect_ports(c.inputs.size(), c.outputs.size());
  c.require_rank(c.inputs[1], 4, 4);
  const auto levels = static_cast<int64_t>(c.inputs.size()) - 1;
  Stage* s = c.add_stage(StageType::ROIFeatureExtractor, c.inputs, c.outputs);
  const int64_t size = c.attrs().integer("output_size");
  RoiFeatureExtractorParams p;
  p.pooled_w = size;
  p.pooled_h = size;
  p.sampling_ratio = c.attrs().integer("sampling_ratio", 2);
  p.levels_num = levels;
  p.use_output_rois = c.outputs.size() == 2;
  const std::vector<int64_t>& scales = c.attrs().integers("pyramid_scales");
  p.pyramid_scales.fill(1);
  std::copy_n(scales.begin(), std::min(scales.size(), p.pyramid_scales.size()), p.pyramid_scales.begin());
  s->set(p);
  const DataDesc &rois = c.in()->desc, &level0 = c.inputs[1]->desc;
  c.program.add_temp(s, roi_feature_extractor_temp_bytes(rois.dim(Dim::N, 1), level0.dim(Dim::C), levels,
                                                         level0.dim(Dim::W), level0.dim(Dim::H), size, size));
}

void parse_exp_detection_output(LayerContext& c) {
  c.expect_ports(4, 3);
  Stage* s = c.add_stage(StageType::ExpDetectionOutput, c.inputs, c.outputs);
  ExpDetectionOutputParams p;
  const auto weights = quirks::attribute_list_floats(c.attrs().get<std::vector<double>>("deltas_weights"));
  std::copy_n(weights.begin(), std::min(weights.size(), p.deltas_weights.size()), p.deltas_weights.begin());
  p.max_delta_log_wh = c.real("max_delta_log_wh", 0.0);
  p.nms_threshold = c.real("nms_threshold", 0.0);
  p.score_threshold = c.real("score_threshold", 0.0);
  p.max_detections_per_image = c.attrs().integer("max_detections_per_image", 0);
  p.num_classes = c.attrs().integer("num_classes", 0);
  p.post_nms_count = c.attrs().integer("post_nms_count", 0);
  p.class_agnostic_box_regression = c.attrs().flag("class_agnostic_box_regression");
  s->set(p);
}

void parse_exp_generate_proposals(LayerContext& c) {
  c.expect_ports(4, 2);
  c.require_rank(c.inputs[3], 3, 4);
  const int64_t pre = c.attrs().integer("pre_nms_count", 0), post = c.attrs().integer("post_nms_count", 0);
  Stage* s = c.add_stage(StageType::ExpGenerateProposals, c.inputs, c.outputs);
  ExpGenerateProposalsParams p;
  p.min_size = c.real("min_size", 0.0);
  p.nms_threshold = c.real("nms_threshold", 0.7);
  p.pre_nms_topn = pre;
  p.post_nms_topn = post;
  s->set(p);
  const DataDesc& scores = c.inputs[3]->desc;
  c.program.add_temp(
      s, exp_generate_proposals_temp_bytes(scores.dim(Dim::H), scores.dim(Dim::W), scores.dim(Dim::C), pre, post));
}

void parse_exp_topk_rois(LayerContext& c) {
  c.expect_ports(2, 1);
  ExpTopKRoisParams p;
  p.max_rois = c.attrs().integer("max_rois", 0);
  c.add_stage(StageType::ExpTopKROIs, c.inputs, {c.out()})->set(p);
}

constexpr ParserRow kRows[] = {
    {"Proposal", parse_proposal},
    {"ROIPooling", parse_roi_pooling},
    {"PSROIPooling", parse_psroi_pooling},
    {"ROIAlign", parse_roi_align},
    {"ExperimentalDetectronDetectionOutput", parse_exp_detection_output},
    {"ExperimentalDetectronGenerateProposalsSingleImage", parse_exp_generate_proposals},
    {"ExperimentalDetectronTopKROIs", parse_exp_topk_rois},
    {"ExperimentalDetectronROIFeatureExtractor", parse_roi_feature_extractor},
};

}  // namespace

std::span<const ParserRow> roi_parsers() { return kRows; }

}  // namespace blobsmith::vpu
