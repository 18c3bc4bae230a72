#include <algorithm>
#include <cmath>

#include "heads/heads.hpp"
#include "heads/labels.hpp"
#include "heads/lists.hpp"
#include "heads/probe.hpp"
#include "heads/read_boxes.hpp"
#include "transforms/pipeline.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::heads {
namespace {

/// Anchors that networks trained on COCO have, in pixels, by number of strides.
const std::vector<std::vector<double>> kThreeStrides = {
    {10, 13, 16, 30, 33, 23}, {30, 61, 62, 45, 59, 119}, {116, 90, 156, 198, 373, 326}};
const std::vector<std::vector<double>> kTwoStrides = {{10, 14, 23, 27, 37, 58}, {81, 82, 135, 169, 344, 319}};

std::string name_of(const Node& result) { return output_name(result); }

/// What computes a result, whatever type it is given then.
const Node* source_of(const Node& result) {
  const Node* n = result.input(0).node;
  while (n->is("Convert")) n = n->input(0).node;
  return n;
}

void state_picture(DetectionHead& head, const Node& picture) {
  const Shape& s = picture.shape();
  const bool last = s[3] <= 4 && s[1] > 4;  // NHWC
  head.input = picture.name;
  head.height = s[last ? 1 : 2];
  head.width = s[last ? 2 : 3];
}

const Node* picture_of(const Graph& graph) {
  const auto is_picture = [](const Node* p) { return p->shape().size() == 4 && is_static(p->shape()); };
  const auto it = std::ranges::find_if(graph.parameters(), is_picture);
  return it == graph.parameters().end() ? nullptr : *it;
}

// ---- layers that say what they are ----

std::optional<DetectionHead> from_detection_output(const Graph& graph) {
  for (const Node* r : graph.results()) {
    const Node* n = source_of(*r);
    if (!n->is("DetectionOutput")) continue;
    DetectionHead h{.form = HeadForm::Ssd, .family = "SSD", .subtype = "mobilenet-ssd"};
    h.classes = static_cast<int>(n->attrs.integer("num_classes", 0));
    h.outputs = {name_of(*r)};
    return h;
  }
  return std::nullopt;
}

/// RegionYolo, of which flattened values may be the output.
const Node* region_behind(const Node& result) {
  const Node* n = source_of(result);
  while (n->is("Reshape")) n = n->input(0).node;
  return n->is("RegionYolo") ? n : nullptr;
}

std::optional<DetectionHead> from_regions(const Graph& graph, const Node& picture) {
  DetectionHead h{.form = HeadForm::Anchors, .family = "YOLOv3", .subtype = "yolov3"};
  state_picture(h, picture);
  struct Output {
    int64_t stride;
    std::vector<double> anchors;
    std::string name;
  };
  std::vector<Output> found;
  for (const Node* r : graph.results()) {
    const Node* n = region_behind(*r);
    if (!n || n->input(0).shape().size() != 4 || n->input(0).shape()[2] < 1) return std::nullopt;
    h.classes = static_cast<int>(n->attrs.integer("classes", 0));
    h.coordinates = static_cast<int>(n->attrs.integer("coords", 4));
    if (n->attrs.flag("do_softmax")) {
      h.family = "YOLOv2";
      h.subtype = "";
    }
    Output o{h.height / n->input(0).shape()[2], {}, name_of(*r)};
    const auto all = n->attrs.get_or<std::vector<double>>("anchors", {});
    auto mask = n->attrs.get_or<std::vector<int64_t>>("mask", {});
    if (mask.empty())
      for (int64_t i = 0; i < n->attrs.integer("num", 0); ++i) mask.push_back(i);
    for (const int64_t m : mask)
      for (const int64_t k : {2 * m, 2 * m + 1})
        if (k >= 0 && k < std::ssize(all)) o.anchors.push_back(all[static_cast<size_t>(k)]);
    found.push_back(std::move(o));
  }
  std::ranges::stable_sort(found, {}, &Output::stride);
  for (Output& o : found) {
    h.strides.push_back(o.stride);
    h.outputs.push_back(o.name);
    h.anchors.push_back(std::move(o.anchors));
  }
  if (found.size() == 2 && !h.subtype.empty()) h.subtype = "yolov3-tiny";
  return h;
}

// ---- outputs by stride ----

/// Every output is a plane of cells, with the same channels.
std::optional<DetectionHead> from_planes(const Graph& graph, const Node& picture) {
  DetectionHead h;
  state_picture(h, picture);
  std::vector<const Node*> results(graph.results().begin(), graph.results().end());
  if (results.size() < 2 || results.size() > 4) return std::nullopt;
  const int64_t channels = results[0]->input(0).shape().size() == 4 ? results[0]->input(0).shape()[1] : 0;
  for (const Node* r : results) {
    const Shape& s = r->input(0).shape();
    if (s.size() != 4 || s[1] != channels || s[2] < 1 || s[3] < 1 || h.height % s[2] != 0 || h.width % s[3] != 0)
      return std::nullopt;
  }
  std::ranges::stable_sort(results, std::ranges::greater{}, [](const Node* r) { return r->input(0).shape()[3]; });
  for (const Node* r : results) {
    h.strides.push_back(h.height / r->input(0).shape()[2]);
    h.outputs.push_back(name_of(*r));
  }
  const auto called = [&](std::string_view part) {
    return std::ranges::all_of(h.outputs, [&](const std::string& n) { return n.find(part) != std::string::npos; });
  };
  if (called("yolov6r2") && channels > 5) {
    h.form = HeadForm::Distances;
    h.family = "YOLOv6 to v12";
    h.subtype = "yolov6r2";
    h.classes = static_cast<int>(channels - 5);
    return h;
  }
  const bool scores = std::ranges::all_of(results, [](const Node* r) { return source_of(*r)->is("Sigmoid"); });
  if (channels % 3 != 0 || channels / 3 <= 5) return std::nullopt;
  h.form = HeadForm::Anchors;
  h.family = scores ? "YOLOv5 or v7" : "YOLOv3 or v4";
  h.subtype = scores ? "yolov5" : results.size() == 2 ? "yolov3-tiny" : "yolov3";
  h.classes = static_cast<int>(channels / 3 - 5);
  h.usual_anchors = true;
  h.anchors = results.size() == 2 ? kTwoStrides : kThreeStrides;
  if (h.anchors.size() != results.size()) return std::nullopt;
  return h;
}

// ---- lists of boxes ----

DetectionHead by_anchors(const Graph& graph, const Levels& l) {
  DetectionHead h{.family = "detector with anchors"};
  const std::optional<AnchorBoxes> read = read_anchor_boxes(graph, l);
  if (!read) return h;
  h.classes = static_cast<int>(l.levels[0].convolutions[0].channels() / read->each - 5);
  h.family = read->exponential ? "YOLOv3 or v4" : "YOLOv5 or v7";
  h.subtype = !read->exponential ? "yolov5" : l.levels.size() == 2 ? "yolov3-tiny" : "yolov3";
  h.anchors = read->anchors;
  h.can_be_reshaped = h.classes > 0;
  return h;
}

DetectionHead by_distances(const Levels& l) {
  DetectionHead h{.form = l.chooses ? HeadForm::Chosen : HeadForm::Boxes};
  const Level& level = l.levels[0];
  const LevelConvolution *boxes = level.find(Role::Boxes), *classes = level.find(Role::Classes);
  if (!boxes || !classes) return h;
  h.classes = static_cast<int>(classes->channels());
  if (level.find(Role::Objectness)) {
    h.family = "YOLOX";
    h.can_be_reshaped = !l.chooses && boxes->channels() == 4;
    return h;
  }
  const bool spread = l.bins > 1 && boxes->channels() == 4 * l.bins;
  if (!spread && boxes->channels() != 4) return h;
  h.family = spread ? (l.chooses ? "YOLOv10" : "YOLOv8 (or v9, 11, 12)") : "YOLO26 (or v6)";
  h.subtype = spread ? (l.chooses ? "yolov10" : "yolov8") : "yolov6r2";
  if (level.find(Role::Angle)) h.family += " with rotated boxes";
  h.can_be_reshaped = true;
  return h;
}

/// One convolution for everything, one box for a cell. NanoDet gives the host distributions over the sides.
DetectionHead without_anchors(const Levels& l) {
  constexpr int64_t kFewestBins = 5;
  DetectionHead h{.family = "detector without anchors"};
  const int64_t rest = l.levels[0].convolutions[0].channels() - l.scores;
  if (l.scores == 0 || rest % 4 != 0) return h;
  h.classes = static_cast<int>(l.scores);
  if (rest / 4 >= kFewestBins) h.family = "NanoDet (" + std::to_string(rest / 4) + " bins for each side)";
  return h;
}

std::optional<DetectionHead> from_levels(const Graph& graph, const Levels& l) {
  int64_t cells = 0;
  for (const Level& level : l.levels) {
    const Shape& s = level.convolutions[0].value.shape();
    cells += s[2] * s[3];
  }
  const Shape& list = l.result->input(0).shape();
  const bool per_cell = std::ranges::find(list, cells) != list.end();
  DetectionHead h;
  if (l.levels[0].convolutions.size() > 1)
    h = by_distances(l);
  else if (!per_cell)
    h = by_anchors(graph, l);
  else
    h = without_anchors(l);
  if (h.family.empty()) return std::nullopt;
  state_picture(h, *l.picture);
  h.outputs = {name_of(*l.result)};
  for (const Level& level : l.levels) h.strides.push_back(level.stride);
  return h;
}

/// Whether it has an attention: weights of a Softmax, by which computed values are added up.
bool attends(const Graph& graph) {
  return std::ranges::any_of(graph.ordered(), [](const Node* n) {
    if (!n->is("MatMul") || n->input(1).node->is_constant()) return false;
    const Node* weights = n->input(0).node;
    while (weights->is("Reshape") || weights->is("Transpose")) weights = weights->input(0).node;
    return weights->is("Softmax");
  });
}

std::optional<DetectionHead> from_queries(const Graph& graph, const Node& picture) {
  if (graph.results().size() != 2) return std::nullopt;
  const Node *boxes = graph.results()[1], *scores = graph.results()[0];
  const auto rank = [](const Node* r) { return r->input(0).shape().size(); };
  if (rank(boxes) != 3 || rank(scores) != 3) return std::nullopt;
  if (boxes->input(0).shape()[2] != 4) std::swap(boxes, scores);
  const Shape &b = boxes->input(0).shape(), &s = scores->input(0).shape();
  if (b[2] != 4 || b[1] != s[1] || s[2] < 2) return std::nullopt;
  if (!source_of(*boxes)->is("Sigmoid") && !attends(graph)) return std::nullopt;
  DetectionHead h{.form = HeadForm::Queries, .family = "DETR", .classes = static_cast<int>(s[2])};
  state_picture(h, picture);
  h.outputs = {name_of(*boxes), name_of(*scores)};
  return h;
}

void state_labels(DetectionHead& h, const Metadata& metadata) {
  const auto names = metadata.find("names");
  if (names == metadata.end()) return;
  h.labels = parse_labels(names->second);
  if (h.classes == 0) h.classes = static_cast<int>(h.labels.size());
  if (std::ssize(h.labels) != h.classes) h.labels.clear();
}

}  // namespace

std::optional<Levels> most_levels(const Graph& graph) {
  std::optional<Levels> best;
  for (const Node* r : graph.results()) {
    std::optional<Levels> l = find_levels(graph, r);
    if (l && (!best || l->levels.size() > best->levels.size())) best = std::move(l);
  }
  return best && best->levels.size() > 1 ? std::move(best) : std::nullopt;
}

std::optional<DetectionHead> find(const Graph& graph, const Metadata& metadata) try {
  const Node* picture = picture_of(graph);
  if (!picture) return std::nullopt;
  std::optional<DetectionHead> h = from_detection_output(graph);
  if (h) state_picture(*h, *picture);
  if (!h) h = from_regions(graph, *picture);
  if (!h) h = from_planes(graph, *picture);
  if (!h)
    if (const std::optional<Levels> l = most_levels(graph)) h = from_levels(graph, *l);
  if (!h || h->classes == 0)
    if (std::optional<DetectionHead> lists = from_lists(graph)) h = std::move(lists);
  if (!h || h->classes == 0)
    if (std::optional<DetectionHead> queries = from_queries(graph, *picture)) h = std::move(queries);
  if (h) state_labels(*h, metadata);
  return h;
} catch (const Error&) {
  return std::nullopt;  // something else than a detector
} catch (const ErrorList&) {
  return std::nullopt;
}

}  // namespace blobsmith::heads
