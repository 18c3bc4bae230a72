// Boxes that overlap less than a threshold.
#include <algorithm>

#include "core/text.hpp"
#include "importers/common/plane_shapes.hpp"
#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

/// Inputs: boxes [N,4], scores [N], count, threshold of overlap, threshold of scores. The indices come in the last of
/// three columns: batch, class, box.
std::vector<Value> suppression(Context& c) {
  const auto value = [&](size_t i, double fallback) {
    if (i >= c.input_count()) return c.number_constant(ElementType::f32, {}, fallback);
    return c.scalar(c.input(i));
  };
  const Value boxes = c.reshape(c.input(0), {1, -1, 4}, "/boxes");
  const Value scores = c.reshape(c.input(1), {1, 1, -1}, "/scores");
  const Value count = c.convert(c.scalar(c.input(2)), ElementType::i64, "/count");
  Node* nms = c.make("NonMaxSuppression", {boxes, scores, count, value(3, 0.5), value(4, 0)},
                     attributes({{"box_encoding", std::string("corner")},
                                 {"sort_result_descending", true},
                                 {"output_type", std::string("i32")}}),
                     5)
                  .node;
  const Value column =
      c.make("Gather", {nms->value(0), c.integers_constant({2}, "/column"), c.integer_constant(1, "/axis")},
             attributes({{"batch_dims", int64_t{0}}}), 7, "/Crop_boxes_");
  std::vector<Value> outputs{
      c.make("Squeeze", {column, c.integers_constant({1}, "/squeezed")}, {}, Context::kNewest, "/Squeeze_boxes_")};
  if (c.node().op == "NonMaxSuppressionV5") {
    const Value score =
        c.make("Gather", {nms->value(1), c.integers_constant({2}, "/column"), c.integer_constant(1, "/axis")},
               attributes({{"batch_dims", int64_t{0}}}), 7, "/Crop_scores_");
    outputs.push_back(
        c.make("Squeeze", {score, c.integers_constant({1}, "/squeezed")}, {}, Context::kNewest, "/Squeeze_scores_"));
  }
  if (c.node().op == "NonMaxSuppressionV4" || c.node().op == "NonMaxSuppressionV5") outputs.push_back(nms->value(2));
  return outputs;
}

/// Not TensorFlow's: transformations.cpp puts it behind the last maps of a YOLO network.
std::vector<Value> region_yolo(Context& c) {
  const tensorflow_file::Node& n = c.node();
  const Value x = c.to_channels_first(c.input(0));
  return {c.make("RegionYolo", {x},
                 attributes({{"anchors", n.reals("anchors")},
                             {"axis", int64_t{1}},
                             {"coords", n.integer("coords", 4)},
                             {"classes", n.integer("classes", 20)},
                             {"end_axis", int64_t{3}},
                             {"num", n.integer("num", 1)},
                             {"do_softmax", n.flag("do_softmax", true)},
                             {"mask", n.integers("mask")}}))};
}

// Not TensorFlow's either: object_detection.hpp puts them where detectors end.

std::vector<Value> detector_reshape(Context& c) {
  return {c.keeping_order(c.reshape(c.input(0), c.node().integers("pattern")))};
}

/// quirk: Model Optimizer writes lists of numbers with six digits, before anything reads them.
std::vector<double> as_written(const Context& c, std::vector<double> list) {
  if (!c.quirks()) return list;
  for (double& v : list) v = std::stod(number_text(v, 6));
  return list;
}

/// Inputs: a map [1,H,W,C], whose places the boxes lie at, and the picture [1,H,W,3]. Boxes [1, 2, 4 · count] with
/// their variances.
std::vector<Value> prior_box_clustered(Context& c) {
  const tensorflow_file::Node& n = c.node();
  return {importers::prior_boxes(c, "PriorBoxClustered", c.to_channels_first(c.input(0)),
                                 c.to_channels_first(c.input(1)),
                                 attributes({{"width", as_written(c, n.reals("width"))},
                                             {"height", as_written(c, n.reals("height"))},
                                             {"clip", false},
                                             {"step", 0.0},
                                             {"step_w", 0.0},
                                             {"step_h", 0.0},
                                             {"offset", 0.5},
                                             {"variance", n.reals("variance")}}))};
}

std::vector<Value> concat_prior_boxes(Context& c) {
  return {c.make("Concat", c.inputs(), attributes({{"axis", int64_t{2}}}))};
}

/// Anchors that the graph computes as constants, [.., 4] as y0, x0, y1, x1: x0, y0, x1, y1 and variances.
std::vector<Value> constant_prior_boxes(Context& c) {
  std::vector<float> boxes = c.tensor_of(0, "anchors").to_f32();
  const std::vector<double> variances = c.node().reals("variance");
  const size_t count = boxes.size();
  if (count == 0 || count % 4 != 0 || variances.size() != 4) c.refuse("its anchors are not four numbers each");
  for (size_t i = 0; i < count; ++i) boxes.push_back(static_cast<float>(variances[i % 4]));
  for (size_t i = 0; i < boxes.size(); i += 2) std::swap(boxes[i], boxes[i + 1]);
  Tensor t = Tensor::of(ElementType::f32, {1, 2, static_cast<int64_t>(count)}, std::move(boxes));
  return {c.graph().constant(std::move(t), c.name())->value()};
}

/// Inputs: boxes [N, 4 · count], scores [N, classes · count], anchors [1, 2, 4 · count].
std::vector<Value> detection_output(Context& c) {
  const tensorflow_file::Node& n = c.node();
  const auto single = [&](const char* name) { return static_cast<double>(static_cast<float>(n.real(name, 0))); };
  const int64_t classes = n.integer("num_classes", 0);
  if (!n.flag("has_background", true) && !c.quirks())
    c.note("class 0 is a class as the others are: Model Optimizer drops it as background");
  // quirk: Model Optimizer counts a background class in any case.
  const int64_t background = n.flag("has_background", true) || c.quirks() ? 0 : classes;
  return {
      c.keeping_order(c.make("DetectionOutput", {c.input(0), c.input(1), c.input(2)},
                             attributes({{"num_classes", classes},
                                         {"background_label_id", n.integer("background_label_id", background)},
                                         {"top_k", n.integer("top_k", -1)},
                                         {"variance_encoded_in_target", n.flag("variance_encoded_in_target", false)},
                                         {"keep_top_k", std::vector<int64_t>{n.integer("keep_top_k", -1)}},
                                         {"code_type", n.text("code_type", "caffe.PriorBoxParameter.CENTER_SIZE")},
                                         {"share_location", n.flag("share_location", true)},
                                         {"nms_threshold", single("nms_threshold")},
                                         {"confidence_threshold", single("confidence_threshold")},
                                         {"clip_after_nms", n.flag("clip_after_nms", false)},
                                         {"clip_before_nms", n.flag("clip_before_nms", false)},
                                         {"decrease_label_id", false},
                                         {"normalized", true},
                                         {"input_height", int64_t{1}},
                                         {"input_width", int64_t{1}},
                                         {"objectness_score", 0.0}})))};
}

constexpr OperatorRow kOperators[] = {
    {"NonMaxSuppression", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV2", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV3", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV4", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV5", "NonMaxSuppression", suppression},
};

constexpr OperatorRow kDetectorOperators[] = {
    {"RegionYolo", "RegionYolo", region_yolo},
    {"ConcatPriorBoxes", "Concat", concat_prior_boxes},
    {"DetectionOutput", "DetectionOutput", detection_output},
    {"DetectorReshape", "Reshape", detector_reshape},
    {"PriorBoxClustered", "PriorBoxClustered", prior_box_clustered},
    {"PriorBoxes", "Const", constant_prior_boxes},
};

}  // namespace

std::span<const OperatorRow> detection_operators() { return kOperators; }
std::span<const OperatorRow> detector_operators() { return kDetectorOperators; }

}  // namespace blobsmith::tensorflow_import
