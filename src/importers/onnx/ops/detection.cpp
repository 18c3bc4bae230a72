// Detection operators of OpenVINO's own in ONNX files (domain org.openvinotoolkit).
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace ie {
namespace {

bool flag(const Context& c, const char* name, bool fallback) { return c.integer(name, fallback ? 1 : 0) != 0; }

std::vector<double> reals(const Context& c, const char* name, std::vector<float> fallback = {}) {
  const std::vector<float> values = c.reals(name, std::move(fallback));
  return {values.begin(), values.end()};
}

/// Height and width of a tensor [N, C, H, W].
Value plane_size(Context& c, Value shape) {
  const std::vector<int64_t> taken{0};
  const Value end = c.list_i64({4}), begin = c.list_i64({2}), step = c.list_i64({1});
  return c.make("StridedSlice", {shape, begin, end, step}, attributes({{"begin_mask", taken}, {"end_mask", taken}}));
}

/// Boxes around each place of a feature map: made of the sizes of the map and of the picture.
std::vector<Value> boxes(Context& c, Attributes a) {
  const Value map = c.input(0), picture = c.input(1);
  if (c.rank(map) != 4 || c.rank(picture) != 4) c.refuse("its inputs must have 4 dimensions");
  const Value map_shape = c.shape_of(map), picture_shape = c.shape_of(picture);
  const Value map_size = plane_size(c, map_shape), picture_size = plane_size(c, picture_shape);
  const Value axes = c.list_i64({0});
  const Value made = c.make(c.becomes(), {map_size, picture_size}, std::move(a));
  return {c.make("Unsqueeze", {made, axes})};
}

std::vector<Value> prior_box(Context& c) {
  Attributes a = attributes({{"clip", flag(c, "clip", false)},
                             {"flip", flag(c, "flip", false)},
                             {"step", c.real("step", 0)},
                             {"offset", c.real("offset", 0)},
                             {"scale_all_sizes", flag(c, "scale_all_sizes", true)}});
  for (const char* list : {"min_size", "max_size", "aspect_ratio", "density", "fixed_ratio", "fixed_size", "variance"})
    a.set(list, reals(c, list));
  return boxes(c, std::move(a));
}

std::vector<Value> clustered_prior_box(Context& c) {
  return boxes(c, attributes({{"width", reals(c, "width", {1})},
                              {"height", reals(c, "height", {1})},
                              {"clip", flag(c, "clip", false)},
                              {"step_w", c.real("step_w", 0)},
                              {"step_h", c.real("step_h", 0)},
                              {"offset", c.real("offset", 0)},
                              {"variance", reals(c, "variance", {0.1f})}}));
}

std::vector<Value> detection_output(Context& c) {
  // quirk: the attribute is read as one number.
  if (const onnx_file::Attribute* a = c.node().find("keep_top_k"); a && a->kind != onnx_file::Attribute::Kind::Integer)
    c.refuse(std::string("invalid attribute type: ") +
             (a->kind == onnx_file::Attribute::Kind::Reals ? "FLOATS" : "INTS"));
  const std::vector<int64_t> kept{c.integer("keep_top_k", 1)};
  return {c.make("DetectionOutput", c.inputs(),
                 attributes({{"num_classes", c.mandatory_integer("num_classes")},
                             {"background_label_id", c.integer("background_label_id", 0)},
                             {"top_k", c.integer("top_k", -1)},
                             {"variance_encoded_in_target", flag(c, "variance_encoded_in_target", false)},
                             {"keep_top_k", kept},
                             {"code_type", c.text("code_type", "caffe.PriorBoxParameter.CORNER")},
                             {"share_location", flag(c, "share_location", true)},
                             {"nms_threshold", c.real("nms_threshold", 0)},
                             {"confidence_threshold", c.real("confidence_threshold", 0)},
                             {"clip_after_nms", flag(c, "clip_after_nms", false)},
                             {"clip_before_nms", flag(c, "clip_before_nms", false)},
                             {"decrease_label_id", flag(c, "decrease_label_id", false)},
                             {"normalized", flag(c, "normalized", true)},
                             {"input_height", c.integer("input_height", 1)},
                             {"input_width", c.integer("input_width", 1)},
                             {"objectness_score", c.real("objectness_score", 0)}}))};
}

std::vector<Value> detectron_output(Context& c) {
  return outputs_of(
      c.make(c.becomes(), c.inputs(),
             attributes({{"score_threshold", c.real("score_threshold", 0.05f)},
                         {"nms_threshold", c.real("nms_threshold", 0.5f)},
                         {"max_delta_log_wh", c.real("max_delta_log_wh", 4.135166645050049f)},
                         {"num_classes", c.integer("num_classes", 81)},
                         {"post_nms_count", c.integer("post_nms_count", 2000)},
                         {"max_detections_per_image", c.integer("max_detections_per_image", 100)},
                         {"class_agnostic_box_regression", flag(c, "class_agnostic_box_regression", false)},
                         {"deltas_weights", reals(c, "deltas_weights", {10, 10, 5, 5})}})));
}

std::vector<Value> detectron_proposals(Context& c) {
  return outputs_of(c.make(c.becomes(), c.inputs(),
                           attributes({{"min_size", c.real("min_size", 0)},
                                       {"nms_threshold", c.real("nms_threshold", 0.7f)},
                                       {"post_nms_count", c.integer("post_nms_count", 1000)},
                                       {"pre_nms_count", c.integer("pre_nms_count", 1000)}})));
}

std::vector<Value> detectron_features(Context& c) {
  return outputs_of(c.make(c.becomes(), c.inputs(),
                           attributes({{"output_size", c.integer("output_size", 7)},
                                       {"sampling_ratio", c.integer("sampling_ratio", 2)},
                                       {"pyramid_scales", c.integers("pyramid_scales", {4, 8, 16, 32, 64})},
                                       {"aligned", flag(c, "aligned", false)}})));
}

/// quirk: stride_y is not read.
std::vector<Value> detectron_grid(Context& c) {
  return {c.make(c.becomes(), c.inputs(),
                 attributes({{"flatten", flag(c, "flatten", true)},
                             {"h", c.integer("h", 0)},
                             {"w", c.integer("w", 0)},
                             {"stride_x", c.real("stride_x", 0)},
                             {"stride_y", 0.0}}))};
}

std::vector<Value> detectron_rois(Context& c) {
  return {c.make(c.becomes(), c.inputs(), attributes({{"max_rois", c.integer("max_rois", 1000)}}))};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"PriorBox", 1, "PriorBox", nullptr, ie::prior_box},
    {"PriorBoxClustered", 1, "PriorBoxClustered", nullptr, ie::clustered_prior_box},
    {"DetectionOutput", 1, "DetectionOutput", nullptr, ie::detection_output},
    {"ExperimentalDetectronDetectionOutput", 1, "ExperimentalDetectronDetectionOutput", nullptr, ie::detectron_output},
    {"ExperimentalDetectronGenerateProposalsSingleImage", 1, "ExperimentalDetectronGenerateProposalsSingleImage",
     nullptr, ie::detectron_proposals},
    {"ExperimentalDetectronPriorGridGenerator", 1, "ExperimentalDetectronPriorGridGenerator", nullptr,
     ie::detectron_grid},
    {"ExperimentalDetectronROIFeatureExtractor", 1, "ExperimentalDetectronROIFeatureExtractor", nullptr,
     ie::detectron_features},
    {"ExperimentalDetectronTopKROIs", 1, "ExperimentalDetectronTopKROIs", nullptr, ie::detectron_rois},
};

}  // namespace

std::span<const OperatorRow> detection_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
