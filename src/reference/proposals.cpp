// Proposal of Faster R-CNN (opset 1, 4).
#include <algorithm>
#include <array>
#include <cmath>

#include "compute/boxes.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

using compute::Box;

float cut(float v, float low, float high) { return std::min(std::max(v, low), high); }

std::vector<float> reals(const Attributes& a, std::string_view name) {
  const auto& list = a.get<std::vector<double>>(name);
  return {list.begin(), list.end()};
}

struct Image {
  float height, width, scale_h, scale_w;
};

/// Faster R-CNN comes in Caffe's form and in TensorFlow's, which has no pixel at the end, centres its anchors and counts
/// coordinates rows first.
struct Settings {
  bool tensorflow, clip_before, clip_after, normalize;
  float offset, coordinate_scale, size_scale;
  int64_t base, stride, min_size;
  std::vector<float> ratios, scales;

  explicit Settings(const Attributes& a)
      : tensorflow(a.text("framework", "") == "tensorflow"),
        clip_before(a.flag("clip_before_nms", true)),
        clip_after(a.flag("clip_after_nms")),
        normalize(a.flag("normalize")),
        offset(tensorflow ? 0.0F : 1.0F),
        coordinate_scale(static_cast<float>(a.real("box_coordinate_scale", 1))),
        size_scale(static_cast<float>(a.real("box_size_scale", 1))),
        base(a.integer("base_size")),
        stride(a.integer("feat_stride")),
        min_size(a.integer("min_size")),
        ratios(reals(a, "ratio")),
        scales(reals(a, "scale")) {}

  /// Ratio by ratio, in each of them scale by scale.
  std::vector<Box> anchors() const {
    std::vector<Box> list;
    const auto b = static_cast<float>(base);
    for (float ratio : ratios) {
      float w = std::sqrt(b * b / ratio);
      if (!tensorflow) w = std::floor(w + 0.5F);
      float h = w * ratio;
      if (!tensorflow) h = std::floor(h + 0.5F);
      for (float scale : scales) {
        const float c = tensorflow ? 0 : 0.5F * (b - offset), half_w = 0.5F * (w * scale - offset), half_h = 0.5F * (h * scale - offset);
        list.push_back({c - half_w, c - half_h, c + half_w, c + half_h});
      }
    }
    return list;
  }

  Box moved(Box a, const std::array<float, 4>& d, const Image& image) const {
    if (tensorflow) a = {cut(a.x1, 0, image.width), cut(a.y1, 0, image.height), cut(a.x2, 0, image.width), cut(a.y2, 0, image.height)};
    const float w = a.x2 - a.x1 + offset, h = a.y2 - a.y1 + offset;
    const float cx = d[0] / coordinate_scale * w + a.x1 + 0.5F * w, cy = d[1] / coordinate_scale * h + a.y1 + 0.5F * h;
    const float bw = std::exp(d[2] / size_scale) * w, bh = std::exp(d[3] / size_scale) * h;
    const Box b{cx - 0.5F * bw, cy - 0.5F * bh, cx + 0.5F * bw, cy + 0.5F * bh};
    if (!clip_before) return b;
    return {cut(b.x1, 0, image.width - offset), cut(b.y1, 0, image.height - offset), cut(b.x2, 0, image.width - offset), cut(b.y2, 0, image.height - offset)};
  }
};

/// Scores [1][2A][H][W], box deltas [1][4A][H][W], the image's size and scales.
Outputs run_proposal(const Call& c) {
  const Settings s(c.attrs());
  const std::vector<Box> anchors = s.anchors();
  const auto count = static_cast<int64_t>(anchors.size());
  const int64_t height = c.dim(0, 2), width = c.dim(0, 3), plane = height * width;
  c.require(c.dim(0, 0) == 1, "not yet supported: a batch of images");
  c.require(c.dim(0, 1) >= 2 * count && c.dim(1, 1) >= 4 * count && c.dim(1, 2) * c.dim(1, 3) == plane, "scores and boxes that don't fit");
  const auto info = c.floats(2), scores = c.floats(0), deltas = c.floats(1);
  Image image{info[0], info[1], info[2], info.size() > 3 ? info[3] : info[2]};
  if (s.tensorflow) std::swap(image.height, image.width);
  std::vector<Box> boxes, best;
  std::vector<float> values, best_values;
  for (int64_t i = 0; i < plane; ++i)
    for (int64_t k = 0; k < count; ++k) {
      const auto along = static_cast<float>(i % width * s.stride), down = static_cast<float>(i / width * s.stride);
      const float dx = s.tensorflow ? down : along, dy = s.tensorflow ? along : down;
      const Box& a = anchors[static_cast<size_t>(k)];
      std::array<float, 4> d;
      for (int64_t j = 0; j < 4; ++j) d[static_cast<size_t>(j)] = deltas[static_cast<size_t>((4 * k + j) * plane + i)];
      const Box b = s.moved({a.x1 + dx, a.y1 + dy, a.x2 + dx, a.y2 + dy}, d, image);
      const auto least = static_cast<float>(s.min_size);
      const bool large = b.x2 - b.x1 + s.offset >= least * image.scale_w && b.y2 - b.y1 + s.offset >= least * image.scale_h;
      boxes.push_back(b);
      values.push_back(large ? scores[static_cast<size_t>((count + k) * plane + i)] : 0.0F);
    }
  std::vector<int64_t> order = compute::by_falling_score(values);
  const int64_t before = c.attrs().integer("pre_nms_topn"), after = c.attrs().integer("post_nms_topn");
  if (before >= 0 && std::cmp_greater(order.size(), before)) order.resize(static_cast<size_t>(before));
  for (int64_t k : order) {
    best.push_back(boxes[static_cast<size_t>(k)]);
    best_values.push_back(values[static_cast<size_t>(k)]);
  }
  std::vector<float> rows(static_cast<size_t>(c.out_count())), probabilities(rows.size() / 5);
  size_t used = 0;
  for (int64_t k : compute::suppress(best, best_values, static_cast<float>(c.attrs().real("nms_thresh")), after, s.offset)) {
    if (used >= probabilities.size()) break;
    Box b = best[static_cast<size_t>(k)];
    if (s.clip_after) b = {cut(b.x1, 0, image.width), cut(b.y1, 0, image.height), cut(b.x2, 0, image.width), cut(b.y2, 0, image.height)};
    if (s.normalize) b = {b.x1 / image.width, b.y1 / image.height, b.x2 / image.width, b.y2 / image.height};
    const float row[5] = {0, b.x1, b.y1, b.x2, b.y2};
    std::copy_n(row, 5, rows.begin() + static_cast<ptrdiff_t>(used * 5));
    probabilities[used++] = best_values[static_cast<size_t>(k)];
  }
  if (used < probabilities.size()) rows[used * 5] = -1;
  Outputs out{float_tensor(c.out_shape(), std::move(rows))};
  if (c.node().output_count() > 1) out.push_back(float_tensor(c.out_shape(1), std::move(probabilities)));
  return out;
}

constexpr Operation kOperations[] = {
    {"Proposal", kAnyVersion, run_proposal},
};

}  // namespace

std::span<const Operation> proposal_operations() { return kOperations; }

}  // namespace blobsmith::reference
