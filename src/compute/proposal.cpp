#include "compute/proposal.hpp"

#include <algorithm>
#include <cmath>

namespace blobsmith::compute {
/// Around the origin, ratio by ratio, in each of them scale by scale.
std::vector<Box> Proposal::anchors() const {
  std::vector<Box> list;
  const auto b = static_cast<float>(base);
  for (float ratio : ratios) {
    float w = std::sqrt(b * b / ratio);
    if (round_ratios) w = std::floor(w + 0.5f);
    float h = w * ratio;
    if (round_ratios) h = std::floor(h + 0.5f);
    for (float scale : scales) {
      if (centred_anchors) {
        list.push_back({-w * scale / 2, -h * scale / 2, w * scale / 2, h * scale / 2});
      } else {
        const float c = 0.5f * (b - offset), half_w = 0.5f * (w * scale - offset), half_h = 0.5f * (h * scale - offset);
        list.push_back({c - half_w, c - half_h, c + half_w, c + half_h});
      }
    }
  }
  return list;
}

Box Proposal::moved(Box a, const float* delta, const Image& of) const {
  const auto d = [&](int64_t k) { return delta[k * height * width]; };
  if (clip_anchors) a = clipped(a, of.width, of.height);
  const float w = a.x2 - a.x1 + offset, h = a.y2 - a.y1 + offset;
  const float cx = d(0) / coordinate_scale * w + (a.x1 + 0.5f * w),
              cy = d(1) / coordinate_scale * h + (a.y1 + 0.5f * h);
  const float bw = std::exp(d(2) / size_scale) * w, bh = std::exp(d(3) / size_scale) * h;
  const Box b{cx - 0.5f * bw, cy - 0.5f * bh, cx + 0.5f * bw, cy + 0.5f * bh};
  return clip_before ? clipped(b, of.width - offset, of.height - offset) : b;
}

Proposal::Regions Proposal::run(int64_t room) const {
  const std::vector<Box> around = anchors();
  const int64_t count = anchor_count(), plane = height * width;
  Image of{image[0], image[1], image[2], image.size() > 3 ? image[3] : image[2]};
  if (rows_first) std::swap(of.height, of.width);
  std::vector<Box> all, boxes;
  std::vector<float> all_values, values;
  for (int64_t i = 0; i < plane; ++i) {
    const int64_t row = i / width;
    const auto along = static_cast<float>(i % width * stride), down = static_cast<float>(row * stride);
    const float dx = rows_first ? down : along, dy = rows_first ? along : down, least = static_cast<float>(min_size);
    for (int64_t k = 0; k < count; ++k) {
      const Box& a = around[static_cast<size_t>(k)];
      const Box b = moved({a.x1 + dx, a.y1 + dy, a.x2 + dx, a.y2 + dy}, deltas.data() + 4 * k * plane + i, of);
      const bool large = b.x2 - b.x1 + offset >= least * of.scale_w && b.y2 - b.y1 + offset >= least * of.scale_h;
      all.push_back(b);
      all_values.push_back(large ? scores[static_cast<size_t>((count + k) * plane + i)] : 0.0f);
    }
  }
  std::vector<int64_t> order = by_falling_score(all_values);
  if (before >= 0 && order.size() > static_cast<size_t>(before)) order.resize(static_cast<size_t>(before));
  for (int64_t k : order) {
    boxes.push_back(all[static_cast<size_t>(k)]);
    values.push_back(all_values[static_cast<size_t>(k)]);
  }
  constexpr size_t kRow = 5;
  Regions found{std::vector<float>(static_cast<size_t>(room) * kRow), std::vector<float>(static_cast<size_t>(room))};
  size_t used = 0;
  for (int64_t k : suppress(boxes, values, nms_threshold, after, offset)) {
    if (used >= found.probabilities.size()) break;
    Box b = boxes[static_cast<size_t>(k)];
    if (clip_after) b = clipped(b, of.width, of.height);
    if (normalize) b = {b.x1 / of.width, b.y1 / of.height, b.x2 / of.width, b.y2 / of.height};
    const float row[kRow] = {0, b.x1, b.y1, b.x2, b.y2};
    std::copy_n(row, kRow, found.rows.begin() + static_cast<ptrdiff_t>(used * kRow));
    found.probabilities[used++] = values[static_cast<size_t>(k)];
  }
  if (used < found.probabilities.size()) found.rows[used * kRow] = -1;
  return found;
}

}  // namespace blobsmith::compute
