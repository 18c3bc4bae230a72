#include <algorithm>

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

Value scores_output(Rewriter& rw, const Level& level, int64_t bins) {
  const Value sides = distances(rw, level.find(Role::Boxes)->value, bins);
  const Value scores = rw.make("Sigmoid", {level.find(Role::Classes)->value})->value();
  const Value best = rw.make("ReduceMax", {scores, rw.indices({1})}, attributes({{"keep_dims", true}}))->value();
  return rw.make("Concat", {sides, best, scores}, attributes({{"axis", int64_t{1}}}))->value();
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
  const bool anchors = !head->anchors.empty();
  const Level& first = levels.levels[0];
  const Node* masks = prototypes(graph, levels);
  if (first.find(Role::Extra) && !masks)
    refuse("key points are not yet supported", "decode the model's own output on the host");

  Rewriter rw(graph);
  DetectionHead r = *head;
  r.form = anchors ? HeadForm::Anchors : HeadForm::Distances;
  r.can_be_reshaped = false;
  r.outputs.clear();
  const std::string ending = anchors ? r.subtype : "yolov6r2";
  std::vector<Value> outputs, coefficients;
  for (const Level& level : levels.levels) {
    const std::string number = std::to_string(outputs.size() + 1);
    Value v;
    if (!anchors)
      v = scores_output(rw, level, levels.bins);
    else if (r.subtype == "yolov5")
      v = rw.make("Sigmoid", {level.convolutions[0].value})->value();
    else
      v = level.convolutions[0].value;
    r.outputs.push_back("output" + number + "_" + ending);
    outputs.push_back(named(v, r.outputs.back()));
    if (const LevelConvolution* extra = level.find(Role::Extra)) {
      r.mask_outputs.push_back("output" + number + "_masks");
      coefficients.push_back(named(extra->value, r.mask_outputs.back()));
    }
  }
  if (!coefficients.empty()) {
    r.prototype_output = "protos_output";
    coefficients.push_back(named(masks->input(0), r.prototype_output));
  }
  const std::vector<Node*> old = graph.results();
  graph.mutable_results().clear();
  std::vector<const Node*> results;
  for (const Value v : outputs) results.push_back(graph.result(v));
  for (const Value v : coefficients) graph.result(v);
  if (!anchors && !means_the_same(before, levels, graph, results, r))
    refuse("its boxes are made in another way than the camera decodes them",
           "decode the model's own output on the host");
  for (Node* n : old) graph.remove(n);
  graph.remove_unreachable();
  return r;
}

}  // namespace blobsmith::heads
