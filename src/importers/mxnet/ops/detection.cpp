// Heads of detectors. MXNet has its boxes as [1, N, 4], the operations as [1, 2, 4N] with their variances behind them.
#include <algorithm>

#include "importers/common/plane_shapes.hpp"
#include "importers/mxnet/operators.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::mxnet {
namespace {

/// The picture that boxes are made for.
Value picture(Context& c) {
  const std::vector<Node*>& inputs = c.graph().parameters();
  for (Node* p : inputs)
    if (p->name == "data") return p->value();
  if (inputs.empty()) c.refuse("the network has no input");
  return inputs[0]->value();
}

double one_of_both(const Context& c, const char* name, double fallback) {
  const std::vector<double> list = c.reals(name, {fallback});
  if (list.empty() || std::ranges::any_of(list, [&](double v) { return v != list[0]; }))
    c.refuse("its " + std::string(name) + " differ");
  return list[0];
}

std::vector<Value> prior_box(Context& c) {
  Attributes a = attributes({{"min_size", c.reals("sizes", {1})},
                             {"max_size", std::vector<double>{}},
                             {"aspect_ratio", c.reals("ratios", {1})},
                             {"density", std::vector<double>{}},
                             {"fixed_ratio", std::vector<double>{}},
                             {"fixed_size", std::vector<double>{}},
                             {"clip", c.flag("clip", false)},
                             {"flip", false},
                             {"step", one_of_both(c, "steps", -1)},
                             {"offset", one_of_both(c, "offsets", 0.5)},
                             {"variance", std::vector<double>{0.1, 0.1, 0.2, 0.2}},
                             {"scale_all_sizes", false}});
  const Value boxes = importers::prior_boxes(c, "PriorBox", c.input(0), picture(c), std::move(a));
  boxes.node->attrs.set(kAnchors, true);
  return {boxes};
}

/// Confidences [1, classes, N] as one row [1, N · classes].
Value confidences(Context& c) {
  const Value x = c.input(0);
  if (x.shape().size() != 3) c.refuse("its confidences do not have 3 dimensions");
  // SoftMax of a Transpose: of what is before it, over the last axis.
  Node* softmax = transforms::producer(x, "Softmax");
  Node* before =
      softmax && softmax->attrs.integer("axis") == 1 ? transforms::producer(softmax->input(0), "Transpose") : nullptr;
  const Tensor* order = before ? transforms::constant_of(before->input(1)) : nullptr;
  if (order && order->to_i64() == std::vector<int64_t>{0, 2, 1} && softmax->use_count() == 0) {
    Node* again = c.graph().make("Softmax", {before->input(0)}, attributes({{"axis", int64_t{2}}}), 1, softmax->name);
    again->source = softmax->source;
    return c.reshape(again->value(), {0, -1}, "/Reshape_");
  }
  return c.reshape(c.transpose(x, {0, 2, 1}, "/Transpose_"), {0, -1}, "/Reshape_");
}

/// Boxes that are numbers of the file, [1, N, 4].
Value constant_boxes(Context& c, const Tensor& boxes, const std::vector<double>& variances) {
  std::vector<float> all = boxes.to_f32();
  const size_t count = all.size();
  for (size_t i = 0; i < count; ++i) all.push_back(static_cast<float>(variances[i % 4]));
  return c.constant(Tensor::of(ElementType::f32, {1, 2, static_cast<int64_t>(count)}, std::move(all)), "/priors");
}

std::vector<Value> detection(Context& c) {
  const std::vector<double> usual{0.1, 0.1, 0.2, 0.2}, variances = c.reals("variances", usual);
  if (variances.size() != 4) c.refuse("its variances are not 4");
  if (c.flag("force_suppress", false)) c.refuse("force_suppress can't be computed");
  Value boxes = c.input(2);
  const bool made = boxes.node->attrs.has(kAnchors);
  const Tensor* given = transforms::constant_of(boxes);
  if (!made && !given) c.refuse("its boxes are neither of MultiBoxPrior nor numbers of the file");
  if (made && variances != usual) c.refuse("its variances are others than those of its boxes");
  if (given) boxes = constant_boxes(c, *given, variances);
  Value locations = c.input(1);
  if (locations.shape().size() != 2) locations = c.reshape(locations, {0, -1}, "/locations");
  const Value conf = confidences(c);
  const int64_t count = std::max<int64_t>(boxes.shape().back() / 4, 1), top_k = c.integer("nms_topk", -1);
  return {
      c.make("DetectionOutput", {locations, conf, boxes},
             attributes({{"num_classes", conf.shape().back() / count},
                         {"background_label_id", c.integer("background_id", 0)},
                         {"top_k", top_k},
                         {"variance_encoded_in_target", false},
                         {"keep_top_k", std::vector<int64_t>{top_k < 0 ? count : top_k}},
                         {"code_type", std::string("caffe.PriorBoxParameter.CENTER_SIZE")},
                         {"share_location", true},
                         {"nms_threshold", static_cast<double>(static_cast<float>(c.real("nms_threshold", 0.5)))},
                         {"confidence_threshold", static_cast<double>(static_cast<float>(c.real("threshold", 0.01)))},
                         {"clip_after_nms", false},
                         {"clip_before_nms", c.flag("clip", true)},
                         {"decrease_label_id", true},
                         {"normalized", true},
                         {"input_height", int64_t{1}},
                         {"input_width", int64_t{1}},
                         {"objectness_score", 0.0}}))};
}

std::vector<Value> proposal(Context& c) {
  if (c.flag("output_score", false)) c.refuse("its second output, the scores, can't be computed");
  if (c.flag("iou_loss", false)) c.refuse("it is trained with iou_loss");
  const int64_t stride = c.integer("feature_stride", 16);
  const Value row = c.rank(2) == 1 ? c.input(2) : c.reshape(c.input(2), {-1}, "/im_info_1d");
  return {c.make("Proposal", {c.input(0), c.input(1), row},
                 attributes({{"base_size", stride},
                             {"pre_nms_topn", c.integer("rpn_pre_nms_top_n", 6000)},
                             {"post_nms_topn", c.integer("rpn_post_nms_top_n", 300)},
                             {"nms_thresh", c.real("threshold", 0.7)},
                             {"feat_stride", stride},
                             {"min_size", c.integer("rpn_min_size", 16)},
                             {"ratio", c.reals("ratios", {0.5, 1, 2})},
                             {"scale", c.reals("scales", {4, 8, 16, 32})},
                             {"clip_before_nms", true},
                             {"clip_after_nms", false},
                             {"normalize", false},
                             {"box_size_scale", 1.0},
                             {"box_coordinate_scale", 1.0},
                             {"framework", std::string()}}),
                 4)};
}

std::vector<Value> roi_pooling(Context& c) {
  const std::vector<int64_t> size = c.integers("pooled_size");
  if (size.size() != 2) c.refuse("its pooled_size is " + to_string(size));
  return {c.make("ROIPooling", {c.input(0), c.input(1)},
                 attributes({{"pooled_h", size[0]},
                             {"pooled_w", size[1]},
                             {"spatial_scale", c.real("spatial_scale", 1)},
                             {"method", std::string("max")}}))};
}

std::vector<Value> psroi_pooling(Context& c) {
  const int64_t size = c.integer("pooled_size", 1);
  return {c.make("PSROIPooling", {c.input(0), c.input(1)},
                 attributes({{"output_dim", c.integer("output_dim", 0)},
                             {"group_size", c.integer("group_size", size)},
                             {"spatial_scale", c.real("spatial_scale", 1)},
                             {"mode", std::string("average")}}))};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"ROIPooling", "ROIPooling", roi_pooling},
    {"_contrib_MultiBoxDetection", "DetectionOutput", detection, "without force_suppress"},
    {"_contrib_MultiBoxPrior", "PriorBox", prior_box, "one step and offset for both axes"},
    {"_contrib_MultiProposal", "Proposal", proposal, "without scores"},
    {"_contrib_PSROIPooling", "PSROIPooling", psroi_pooling},
    {"_contrib_Proposal", "Proposal", proposal, "without scores"},
};

}  // namespace

std::span<const OperatorRow> detection_operators() { return kOperators; }

}  // namespace blobsmith::mxnet
