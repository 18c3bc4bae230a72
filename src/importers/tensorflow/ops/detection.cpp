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

std::vector<Value> detector_concat(Context& c) {
  return {c.keeping_order(c.make("Concat", c.inputs(), attributes({{"axis", c.node().integer("axis", 0)}})))};
}

/// x from `begin` to `end` along one axis.
Value cropped(Context& c, Value x, int64_t axis, int64_t begin, int64_t end, const std::string& suffix) {
  const size_t rank = x.shape().size(), at = static_cast<size_t>(axis);
  if (at >= rank) c.refuse("its input has " + std::to_string(rank) + " dimensions");
  std::vector<SliceAxis> axes(rank);
  axes[at] = {.begin = begin, .end = end, .from_start = false, .to_end = false};
  return c.keeping_order(sliced(c, x, axes, suffix));
}

std::vector<Value> detector_crop(Context& c) {
  const tensorflow_file::Node& n = c.node();
  return {cropped(c, c.input(0), n.integer("axis", 0), n.integer("begin", 0), n.integer("end", 0), "/strided_slice")};
}

/// Boxes [N, classes, 1, 4] with one more class in front, the background's: nothing reads its numbers.
std::vector<Value> background_boxes(Context& c) {
  const Value x = c.input(0), first = cropped(c, x, 1, 0, 1, "/crop_locs");
  return {c.keeping_order(c.make("Concat", {first, x}, attributes({{"axis", int64_t{1}}})))};
}

/// y and x of boxes change places: [.., numbers] to [N, numbers, 1, 1]. Of five numbers the first is the picture's.
Value with_swapped_coordinates(Context& c, Value boxes, int64_t numbers, const std::string& suffix) {
  const size_t size = static_cast<size_t>(numbers), picture = size % 2;
  std::vector<double> matrix(size * size);
  for (size_t i = 0; i < size; ++i) matrix[i * size + (i < picture ? i : ((i - picture) ^ 1) + picture)] = 1;
  const Value weights =
      c.graph()
          .constant(Tensor::reals(boxes.type(), {numbers, numbers, 1, 1}, matrix), c.name() + suffix + "/weights")
          ->value();
  const Value apart = c.keeping_order(c.reshape(boxes, {-1, numbers, 1, 1}, suffix + "/reshape_4d"));
  const std::vector<int64_t> ones{1, 1}, zeros{0, 0};
  return c.make("Convolution", {apart, weights},
                attributes({{"strides", ones},
                            {"dilations", ones},
                            {"pads_begin", zeros},
                            {"pads_end", zeros},
                            {"auto_pad", std::string("explicit")}}),
                Context::kNewest, suffix + "/conv");
}

std::vector<Value> swap_coordinates(Context& c) {
  return {with_swapped_coordinates(c, c.input(0), c.node().integer("numbers", 4), "")};
}

/// Pairs of numbers along the last axis change places.
std::vector<Value> swap_pairs(Context& c) {
  const Value pairs = c.reshape(c.input(0), {-1, 2}, "/Reshape2D");
  const Value turned =
      c.make("Gather", {pairs, c.integers_constant({1, 0}, "/Indices"), c.integer_constant(1, "/Axis")},
             attributes({{"batch_dims", int64_t{0}}}), 7, "/SwappedWeights");
  return {c.reshape(turned, c.input(0).shape(), "/ReshapeBack")};
}

/// Inputs: scores [N, H, W, 2 · anchors], boxes [N, H, W, 4 · anchors], rows, columns and scale of the picture
/// [1, 3]. Boxes [N · post_nms_topn, 5]: picture, y0, x0, y1, x1.
std::vector<Value> region_proposals(Context& c) {
  const tensorflow_file::Node& n = c.node();
  if (c.rank(0) != 4 || c.rank(1) != 4) c.refuse("its inputs are no maps");
  const int64_t anchors = n.integer("anchors", 1);
  const Value logits = c.to_channels_first(c.input(0)), boxes = c.to_channels_first(c.input(1));
  if (logits.shape()[1] != 2 * anchors || boxes.shape()[1] != 4 * anchors)
    c.refuse("pipeline.config tells of " + std::to_string(anchors) + " anchors, the maps have " +
             std::to_string(logits.shape()[1]) + " scores and " + std::to_string(boxes.shape()[1]) + " coordinates");
  Value scores = c.keeping_order(c.reshape(logits, {0, anchors, 2, -1}, "/predictions/Reshape"));
  scores = c.make("Softmax", {scores}, attributes({{"axis", int64_t{2}}}), Context::kNewest, "/Softmax");
  scores = c.keeping_order(c.transpose(scores, {0, 2, 1, 3}, "/Transpose"));
  scores = c.keeping_order(c.reshape(scores, logits.shape(), "/Reshape_Transpose_Class"));
  const Value info = c.reshape(c.input(2), {3}, "/im_info");
  const auto whole = [&](const char* name) { return static_cast<int64_t>(n.real(name, 0)); };
  return {c.make("Proposal", {scores, boxes, info},
                 attributes({{"base_size", whole("base_size")},
                             {"pre_nms_topn", int64_t{2147483647}},
                             {"post_nms_topn", n.integer("post_nms_topn", 300)},
                             {"nms_thresh", n.real("nms_thresh", 0.7)},
                             {"feat_stride", whole("feat_stride")},
                             {"min_size", int64_t{1}},
                             {"ratio", n.reals("ratio")},
                             {"scale", n.reals("scale")},
                             {"clip_before_nms", n.flag("clip_before_nms", true)},
                             {"clip_after_nms", n.flag("clip_after_nms", false)},
                             {"normalize", true},
                             {"box_size_scale", n.real("box_size_scale", 5)},
                             {"box_coordinate_scale", n.real("box_coordinate_scale", 10)},
                             {"framework", std::string("tensorflow")}}))};
}

/// Of maps, boxes in parts of them: [N, 5] as picture, x0, y0, x1, y1. `size`: the input that states rows and columns.
Value pooled_regions(Context& c, Value regions, size_t size) {
  const std::vector<int64_t> sizes = c.integers_of(size, "crop size");
  if (sizes.size() != 2) c.refuse("its crop size is " + to_string(sizes));
  return c.to_model_layout(
      c.make("ROIPooling", {c.to_channels_first(c.input(0)), regions},
             attributes({{"output_size", sizes}, {"spatial_scale", 1.0}, {"method", std::string("bilinear")}})));
}

/// Inputs: a map, boxes [N, 5], the size of what is cut out: [N, size, size, C].
std::vector<Value> crop_regions(Context& c) { return {pooled_regions(c, c.input(1), 2)}; }

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

/// Inputs: anchors [N, count, 4] in pixels, the picture [N, H, W, C]. Corners in parts of the picture and variances
/// [1, 2, 4 · count], and widths and heights [1, count, 4], each twice.
std::vector<Value> anchor_corners(Context& c) {
  const Tensor& anchors = c.tensor_of(0, "anchors");
  const Shape picture = c.to_channels_first(c.input(1)).shape();
  const std::vector<double> variances = c.node().reals("variance");
  if (anchors.shape.size() != 3 || anchors.shape[2] != 4 || anchors.shape[0] < 1 || picture.size() != 4 ||
      variances.size() != 4)
    c.refuse("its anchors or its picture are not as expected");
  const size_t count = static_cast<size_t>(4 * anchors.shape[1]);
  std::vector<float> boxes = anchors.to_f32(), sizes(count);
  boxes.resize(count);  // those of one picture
  for (size_t i = 0; i < count; ++i) boxes[i] *= 1 / static_cast<float>(picture[i % 2 ? 2 : 3]);
  for (size_t i = 0; i < count; ++i) sizes[i] = boxes[i / 4 * 4 + i % 2 + 2] - boxes[i / 4 * 4 + i % 2];
  for (size_t i = 0; i < count; ++i) boxes.push_back(static_cast<float>(variances[i % 4]));
  const auto constant = [&](Shape shape, std::vector<float> values, const char* suffix) {
    return c.graph().constant(Tensor::of(ElementType::f32, std::move(shape), std::move(values)), c.name() + suffix);
  };
  return {constant({1, 2, static_cast<int64_t>(count)}, std::move(boxes), "")->value(),
          constant({1, anchors.shape[1], 4}, std::move(sizes), "/sizes")->value()};
}

/// Inputs: boxes [N, 4 · count], scores [N, classes · count], anchors [1, 2, 4 · count].
std::vector<Value> detection_output(Context& c) {
  const tensorflow_file::Node& n = c.node();
  const auto single = [&](const char* name) { return static_cast<double>(static_cast<float>(n.real(name, 0))); };
  const int64_t boxes = c.input(2).shape().back() / 4;
  const int64_t classes = n.integer("num_classes", c.input(1).shape().back() / std::max<int64_t>(boxes, 1));
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

/// Boxes that are known, with their pictures: [N, 5] as picture, x0, y0, x1, y1.
Value constant_regions(Context& c, const Tensor& boxes, const Tensor& pictures) {
  const std::vector<float> corners = boxes.to_f32(), picture = pictures.to_f32();
  if (corners.size() != 4 * picture.size()) c.refuse("its boxes are " + to_string(boxes.shape));
  std::vector<float> rows;
  for (size_t i = 0; i < picture.size(); ++i) {
    const float* box = &corners[4 * i];
    rows.insert(rows.end(), {picture[i], box[1], box[0], box[3], box[2]});
  }
  Tensor t = Tensor::of(ElementType::f32, {static_cast<int64_t>(picture.size()), 5}, std::move(rows));
  return c.graph().constant(std::move(t), c.name() + "/regions")->value();
}

/// Parts of pictures, stretched: boxes are [y1, x1, y2, x2] of one picture.
std::vector<Value> crop_and_resize(Context& c) {
  const std::string method = c.node().text("method", "bilinear");
  if (method != "bilinear") c.refuse("method is '" + method + "'");
  const Value boxes = c.input(1);
  // Model Optimizer turns them by a convolution, which the compiler doesn't take of constants.
  if (!c.quirks() && boxes.node->is_constant() && c.input(2).node->is_constant())
    return {pooled_regions(c, constant_regions(c, boxes.node->constant, c.input(2).node->constant), 3)};
  const Value index = c.reshape(c.convert(c.input(2), boxes.type(), "/index_float"), {-1, 1}, "/index");
  const Value rows = c.make("Concat", {index, boxes}, attributes({{"axis", int64_t{1}}}), Context::kNewest,
                            "/concat_batch_indices_and_boxes");
  const Value regions = c.reshape(with_swapped_coordinates(c, rows, 5, ""), {-1, 5}, "/reshape_2d");
  return {pooled_regions(c, regions, 3)};
}

constexpr OperatorRow kOperators[] = {
    {"CropAndResize", "ROIPooling", crop_and_resize},
    {"NonMaxSuppression", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV2", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV3", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV4", "NonMaxSuppression", suppression},
    {"NonMaxSuppressionV5", "NonMaxSuppression", suppression},
};

constexpr OperatorRow kDetectorOperators[] = {
    {"RegionYolo", "RegionYolo", region_yolo},
    {"AnchorCorners", "Const", anchor_corners},
    {"BackgroundBoxes", "Concat", background_boxes},
    {"ConcatPriorBoxes", "Concat", concat_prior_boxes},
    {"CropRegions", "ROIPooling", crop_regions},
    {"DetectorConcat", "Concat", detector_concat},
    {"DetectorCrop", "StridedSlice", detector_crop},
    {"DetectionOutput", "DetectionOutput", detection_output},
    {"DetectorReshape", "Reshape", detector_reshape},
    {"PriorBoxClustered", "PriorBoxClustered", prior_box_clustered},
    {"PriorBoxes", "Const", constant_prior_boxes},
    {"RegionProposals", "Proposal", region_proposals},
    {"SwapCoordinates", "Convolution", swap_coordinates},
    {"SwapPairs", "Gather", swap_pairs},
};

}  // namespace

std::span<const OperatorRow> detection_operators() { return kOperators; }
std::span<const OperatorRow> detector_operators() { return kDetectorOperators; }

}  // namespace blobsmith::tensorflow_import
