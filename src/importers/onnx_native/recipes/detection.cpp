// Detection operators of OpenVINO's own in ONNX files (domain org.openvinotoolkit).
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

double real(const Recipe& r, const char* name, float fallback) { return static_cast<double>(r.real(name, fallback)); }
bool flag(const Recipe& r, const char* name, bool fallback) { return r.integer(name, fallback ? 1 : 0) != 0; }

std::vector<double> reals(const Recipe& r, const char* name, std::vector<float> fallback = {}) {
  const onnx_file::Attribute* a = r.node().find(name);
  const std::vector<float>& values = a ? a->reals : fallback;
  return {values.begin(), values.end()};
}

/// Height and width of a tensor [N, C, H, W].
Value plane_size(Recipe& r, Value shape) {
  const std::vector<int64_t> taken{0};
  const Value end = r.list_i64({4}), begin = r.list_i64({2}), step = r.list_i64({1});
  return r.make("StridedSlice", {shape, begin, end, step}, attributes({{"begin_mask", taken}, {"end_mask", taken}}));
}

/// Boxes around each place of a feature map: made of the sizes of the map and of the picture.
std::vector<Value> boxes(Recipe& r, Attributes a) {
  const Value map = r.input(0), picture = r.input(1);
  if (r.rank(map) != 4 || r.rank(picture) != 4) r.refuse("its inputs must have 4 dimensions");
  const Value map_shape = r.shape_of(map), picture_shape = r.shape_of(picture);
  const Value map_size = plane_size(r, map_shape), picture_size = plane_size(r, picture_shape);
  const Value axes = r.list_i64({0});
  const Value made = r.make(r.becomes(), {map_size, picture_size}, std::move(a));
  return {r.make("Unsqueeze", {made, axes})};
}

std::vector<Value> prior_box(Recipe& r) {
  Attributes a = attributes({{"clip", flag(r, "clip", false)},
                             {"flip", flag(r, "flip", false)},
                             {"step", real(r, "step", 0)},
                             {"offset", real(r, "offset", 0)},
                             {"scale_all_sizes", flag(r, "scale_all_sizes", true)}});
  for (const char* list : {"min_size", "max_size", "aspect_ratio", "density", "fixed_ratio", "fixed_size", "variance"})
    a.set(list, reals(r, list));
  return boxes(r, std::move(a));
}

std::vector<Value> clustered_prior_box(Recipe& r) {
  return boxes(r, attributes({{"width", reals(r, "width", {1})},
                              {"height", reals(r, "height", {1})},
                              {"clip", flag(r, "clip", false)},
                              {"step_w", real(r, "step_w", 0)},
                              {"step_h", real(r, "step_h", 0)},
                              {"offset", real(r, "offset", 0)},
                              {"variance", reals(r, "variance", {0.1f})}}));
}

std::vector<Value> detection_output(Recipe& r) {
  // quirk: the attribute is read as one number.
  if (const onnx_file::Attribute* a = r.node().find("keep_top_k"); a && a->kind != onnx_file::Attribute::Kind::Integer)
    r.refuse(std::string("invalid attribute type: ") +
             (a->kind == onnx_file::Attribute::Kind::Reals ? "FLOATS" : "INTS"));
  const std::vector<int64_t> kept{r.integer("keep_top_k", 1)};
  return {r.make("DetectionOutput", r.inputs(),
                 attributes({{"num_classes", r.mandatory_integer("num_classes")},
                             {"background_label_id", r.integer("background_label_id", 0)},
                             {"top_k", r.integer("top_k", -1)},
                             {"variance_encoded_in_target", flag(r, "variance_encoded_in_target", false)},
                             {"keep_top_k", kept},
                             {"code_type", r.text("code_type", "caffe.PriorBoxParameter.CORNER")},
                             {"share_location", flag(r, "share_location", true)},
                             {"nms_threshold", real(r, "nms_threshold", 0)},
                             {"confidence_threshold", real(r, "confidence_threshold", 0)},
                             {"clip_after_nms", flag(r, "clip_after_nms", false)},
                             {"clip_before_nms", flag(r, "clip_before_nms", false)},
                             {"decrease_label_id", flag(r, "decrease_label_id", false)},
                             {"normalized", flag(r, "normalized", true)},
                             {"input_height", r.integer("input_height", 1)},
                             {"input_width", r.integer("input_width", 1)},
                             {"objectness_score", real(r, "objectness_score", 0)}}))};
}

std::vector<Value> outputs_of(Value v) {
  std::vector<Value> values;
  for (int i = 0; i < v.node->output_count(); ++i) values.push_back(v.node->value(i));
  return values;
}

std::vector<Value> detectron_output(Recipe& r) {
  return outputs_of(
      r.make(r.becomes(), r.inputs(),
             attributes({{"score_threshold", real(r, "score_threshold", 0.05f)},
                         {"nms_threshold", real(r, "nms_threshold", 0.5f)},
                         {"max_delta_log_wh", real(r, "max_delta_log_wh", 4.135166645050049f)},
                         {"num_classes", r.integer("num_classes", 81)},
                         {"post_nms_count", r.integer("post_nms_count", 2000)},
                         {"max_detections_per_image", r.integer("max_detections_per_image", 100)},
                         {"class_agnostic_box_regression", flag(r, "class_agnostic_box_regression", false)},
                         {"deltas_weights", reals(r, "deltas_weights", {10, 10, 5, 5})}})));
}

std::vector<Value> detectron_proposals(Recipe& r) {
  return outputs_of(r.make(r.becomes(), r.inputs(),
                           attributes({{"min_size", real(r, "min_size", 0)},
                                       {"nms_threshold", real(r, "nms_threshold", 0.7f)},
                                       {"post_nms_count", r.integer("post_nms_count", 1000)},
                                       {"pre_nms_count", r.integer("pre_nms_count", 1000)}})));
}

std::vector<Value> detectron_features(Recipe& r) {
  return outputs_of(r.make(r.becomes(), r.inputs(),
                           attributes({{"output_size", r.integer("output_size", 7)},
                                       {"sampling_ratio", r.integer("sampling_ratio", 2)},
                                       {"pyramid_scales", r.integers("pyramid_scales", {4, 8, 16, 32, 64})},
                                       {"aligned", flag(r, "aligned", false)}})));
}

/// quirk: stride_y is not read.
std::vector<Value> detectron_grid(Recipe& r) {
  return {r.make(r.becomes(), r.inputs(),
                 attributes({{"flatten", flag(r, "flatten", true)},
                             {"h", r.integer("h", 0)},
                             {"w", r.integer("w", 0)},
                             {"stride_x", real(r, "stride_x", 0)},
                             {"stride_y", 0.0}}))};
}

std::vector<Value> detectron_rois(Recipe& r) {
  return {r.make(r.becomes(), r.inputs(), attributes({{"max_rois", r.integer("max_rois", 1000)}}))};
}

constexpr Row kRows[] = {
    {"PriorBox", 1, prior_box, "PriorBox"},
    {"PriorBoxClustered", 1, clustered_prior_box, "PriorBoxClustered"},
    {"DetectionOutput", 1, detection_output},
    {"ExperimentalDetectronDetectionOutput", 1, detectron_output, "ExperimentalDetectronDetectionOutput"},
    {"ExperimentalDetectronGenerateProposalsSingleImage", 1, detectron_proposals,
     "ExperimentalDetectronGenerateProposalsSingleImage"},
    {"ExperimentalDetectronPriorGridGenerator", 1, detectron_grid, "ExperimentalDetectronPriorGridGenerator"},
    {"ExperimentalDetectronROIFeatureExtractor", 1, detectron_features, "ExperimentalDetectronROIFeatureExtractor"},
    {"ExperimentalDetectronTopKROIs", 1, detectron_rois, "ExperimentalDetectronTopKROIs"},
};

}  // namespace

std::span<const Row> detection_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
