// Boxes that overlap less than a threshold.
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

constexpr OperatorRow kOperators[] = {
    {"NonMaxSuppression", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV2", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV3", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV4", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV5", "NonMaxSuppression", suppression},
    {"RegionYolo", "RegionYolo", region_yolo},
};

}  // namespace

std::span<const OperatorRow> detection_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
