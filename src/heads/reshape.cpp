#include <algorithm>
#include <numbers>

#include "heads/heads.hpp"
#include "heads/read_boxes.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::heads {
namespace {

using transforms::attributes;
using transforms::Rewriter;

[[noreturn]] void refuse(const std::string& what, const std::string& hint) {
  Error e(ErrorCode::BadOptionValue, "--yolo-head: " + what);
  throw e.hint(hint);
}

Value named(Value v, const std::string& name) {
  v.node->name = name;
  return v;
}

/// [1,4,H,W]: how far the sides are from the middle of the cell, in cells. With a distribution, the mean of its bins.
Value distances(Rewriter& rw, Value boxes, int64_t bins) {
  if (bins == 1) return boxes;
  const int64_t h = boxes.shape()[2], w = boxes.shape()[3];
  const Value apart = rw.transpose(rw.reshape(boxes, {1, 4, bins, h * w})->value(), {0, 2, 1, 3})->value();
  const Value shares = rw.make("Softmax", {apart}, attributes({{"axis", int64_t{1}}}), 1)->value();
  std::vector<double> numbers(static_cast<size_t>(bins));
  for (size_t k = 0; k < numbers.size(); ++k) numbers[k] = static_cast<double>(k);
  const std::vector<int64_t> ones{1, 1}, none{0, 0};
  const Value mean =
      rw.make("Convolution", {shares, rw.constant(Tensor::reals(boxes.type(), {1, bins, 1, 1}, numbers))},
              attributes({{"strides", ones},
                          {"dilations", ones},
                          {"pads_begin", none},
                          {"pads_end", none},
                          {"auto_pad", std::string("explicit")}}))
          ->value();
  return rw.reshape(mean, {1, 4, h, w})->value();
}

Value beside_each_other(Rewriter& rw, const std::vector<Value>& values, int64_t axis) {
  return rw.make("Concat", values, attributes({{"axis", axis}}))->value();
}

Value scores_output(Rewriter& rw, const Level& level, int64_t bins) {
  const Value scores = rw.make("Sigmoid", {level.find(Role::Classes)->value})->value();
  if (const LevelConvolution* object = level.find(Role::Objectness))
    return beside_each_other(rw, {level.find(Role::Boxes)->value, rw.make("Sigmoid", {object->value})->value(), scores},
                             1);
  const Value sides = distances(rw, level.find(Role::Boxes)->value, bins);
  const Value best = rw.make("ReduceMax", {scores, rw.indices({1})}, attributes({{"keep_dims", true}}))->value();
  return beside_each_other(rw, {sides, best, scores}, 1);
}

/// Two generations of Ultralytics' networks compute what is beside the boxes from other numbers.
enum class Generation { Yolo8, Yolo26 };

/// [1, 3 * points, H * W]: x and y in pixels, logits of the scores.
Value key_points(Rewriter& rw, const Level& level, Generation generation) {
  const Value raw = level.find(Role::Extra)->value;
  const int64_t numbers = raw.shape()[1], h = raw.shape()[2], w = raw.shape()[3];
  const auto stride = static_cast<double>(level.stride);
  const bool yolo8 = generation == Generation::Yolo8;
  std::vector<double> factors, places;
  for (int64_t n = 0; n < numbers; ++n) {
    factors.push_back(n % 3 == 2 ? 1 : yolo8 ? 2 * stride : stride);
    for (int64_t cell = 0; cell < h * w; ++cell) {
      const auto at = static_cast<double>(n % 3 == 0 ? cell % w : cell / w) + (yolo8 ? 0 : 0.5);
      places.push_back(n % 3 == 2 ? 0 : at * stride);
    }
  }
  const Value flat = rw.reshape(raw, {1, numbers, h * w})->value();
  const Value scaled =
      rw.make("Multiply", {flat, rw.constant(Tensor::reals(raw.type(), {1, numbers, 1}, factors))})->value();
  return rw.make("Add", {scaled, rw.constant(Tensor::reals(raw.type(), {1, numbers, h * w}, places))})->value();
}

/// [1, 1, cells of all strides] in radians.
Value angles(Rewriter& rw, const Levels& levels, Generation generation) {
  std::vector<Value> flat;
  for (const Level& level : levels.levels) {
    const Value raw = level.find(Role::Angle)->value;
    flat.push_back(rw.reshape(raw, {1, 1, raw.shape()[2] * raw.shape()[3]})->value());
  }
  const Value all = flat.size() == 1 ? flat[0] : beside_each_other(rw, flat, 2);
  if (generation == Generation::Yolo26) return all;
  const auto single = [&](double v) {
    return rw.constant(Tensor::reals(all.type(), {1, 1, 1}, std::vector<double>{v}));
  };
  const Value share = rw.make("Sigmoid", {all})->value();
  const Value turned = rw.make("Multiply", {share, single(std::numbers::pi)})->value();
  return rw.make("Subtract", {turned, single(std::numbers::pi / 4)})->value();
}

/// The results that stay: prototypes of masks.
const Node* prototypes(const Graph& graph, const Levels& levels) {
  for (const Node* r : graph.results())
    if (r != levels.result && r->input(0).shape().size() == 4) return r;
  return nullptr;
}

}  // namespace

DetectionHead reshape(Graph& graph, const Metadata& metadata) {
  std::optional<DetectionHead> head = find(graph, metadata);
  if (!head) refuse("no head of a YOLO is recognised", "without it the model is converted as it is");
  if (head->camera_decodes()) return *std::move(head);
  if (!head->can_be_reshaped)
    refuse("the head of a " + head->family + " is not yet supported", "decode its output on the host");
  const Levels levels = *most_levels(graph);
  const Graph before = graph.clone();
  const Level& first = levels.levels[0];
  const Node* masks = prototypes(graph, levels);
  const bool points = first.find(Role::Extra) && !masks, turned = first.find(Role::Angle) != nullptr;
  const std::string on_host = "decode the model's own output on the host";
  if (points && numbers_of_key_point(before, levels, head->classes) != 3)
    refuse("only key points of three numbers, x, y and a score, are supported", on_host);

  DetectionHead r = *head;
  r.form = !head->anchors.empty()         ? HeadForm::Anchors
           : first.find(Role::Objectness) ? HeadForm::Offsets
                                          : HeadForm::Distances;
  r.can_be_reshaped = false;
  r.outputs.clear();
  const std::string ending = r.form == HeadForm::Anchors   ? r.subtype
                             : r.form == HeadForm::Offsets ? "yolov6"
                                                           : "yolov6r2";
  if (r.form == HeadForm::Offsets) r.subtype = "yolov6r1";
  for (size_t i = 1; i <= levels.levels.size(); ++i) {
    const std::string number = std::to_string(i);
    r.outputs.push_back("output" + number + "_" + ending);
    if (points) r.keypoint_outputs.push_back("kpt_output" + number);
    if (masks && first.find(Role::Extra)) r.mask_outputs.push_back("output" + number + "_masks");
  }
  if (points) r.keypoints = static_cast<int>(first.find(Role::Extra)->channels() / 3);
  if (!r.mask_outputs.empty()) r.prototype_output = "protos_output";
  if (turned) r.angle_output = "angle_output";

  const std::vector<Node*> old = graph.results();
  for (const Generation generation : {Generation::Yolo8, Generation::Yolo26}) {
    for (Node* n : std::vector<Node*>(graph.results()))
      if (std::ranges::find(old, n) == old.end()) graph.remove(n);
    graph.mutable_results().clear();
    Rewriter rw(graph);
    for (size_t i = 0; i < levels.levels.size(); ++i) {
      const Level& level = levels.levels[i];
      Value v = level.convolutions[0].value;
      if (r.form != HeadForm::Anchors)
        v = scores_output(rw, level, levels.bins);
      else if (r.subtype == "yolov5")
        v = rw.make("Sigmoid", {v})->value();
      graph.result(named(v, r.outputs[i]));
    }
    for (size_t i = 0; i < levels.levels.size(); ++i) {
      if (points) graph.result(named(key_points(rw, levels.levels[i], generation), r.keypoint_outputs[i]));
      if (!r.mask_outputs.empty()) graph.result(named(levels.levels[i].find(Role::Extra)->value, r.mask_outputs[i]));
    }
    if (turned) graph.result(named(angles(rw, levels, generation), r.angle_output));
    if (!r.mask_outputs.empty()) graph.result(named(masks->input(0), r.prototype_output));
    if (r.form != HeadForm::Anchors && !means_the_same(before, levels, graph, r)) continue;
    for (Node* n : old) graph.remove(n);
    graph.remove_unreachable();
    return r;
  }
  refuse("its boxes are made in another way than the camera decodes them", on_host);
}

}  // namespace blobsmith::heads
