#include "compute/detectron.hpp"

#include <algorithm>
#include <cmath>

#include "core/float16.hpp"

namespace blobsmith::compute {
namespace {

const float kProposalLimit = std::log(1000.0f / 16);

/// A box moved and resized; the arguments of the exponent are limited.
Box moved(const Box& a, const std::array<float, 4>& d, float limit) {
  const float w = a.x2 - a.x1 + 1, h = a.y2 - a.y1 + 1;
  const float cx = d[0] * w + a.x1 + 0.5f * w, cy = d[1] * h + a.y1 + 0.5f * h,
              bw = std::exp(std::min(d[2], limit)) * w, bh = std::exp(std::min(d[3], limit)) * h;
  return {cx - 0.5f * bw, cy - 0.5f * bh, cx + 0.5f * bw - 1, cy + 0.5f * bh - 1};
}

Box rounded(const Box& b, BoxPrecision precision) {
  if (precision == BoxPrecision::Single) return b;
  const auto half = [](float v) { return half_to_float(float_to_half(v)); };
  return {half(b.x1), half(b.y1), half(b.x2), half(b.y2)};
}

template <class T>
void pick(std::vector<T>& list, const std::vector<int64_t>& order) {
  std::vector<T> picked;
  for (int64_t i : order) picked.push_back(list[static_cast<size_t>(i)]);
  list = std::move(picked);
}

}  // namespace

void Found::add(const Box& box, float score, int64_t label) {
  boxes.push_back(box);
  scores.push_back(score);
  classes.push_back(label);
}

void Found::keep_best(int64_t limit) {
  std::vector<int64_t> order = by_falling_score(scores);
  if (limit >= 0 && order.size() > static_cast<size_t>(limit)) order.resize(static_cast<size_t>(limit));
  pick(boxes, order);
  pick(scores, order);
  pick(classes, order);
}

Found ProposalSearch::run(const std::vector<Box>& anchors) const {
  Found all, found;
  for (int64_t i = 0; i < plane; ++i)
    for (int64_t a = 0; a < count; ++a) {
      std::array<float, 4> d;
      for (int64_t k = 0; k < 4; ++k) d[static_cast<size_t>(k)] = deltas[static_cast<size_t>((4 * a + k) * plane + i)];
      Box b = moved(anchors[static_cast<size_t>(i * count + a)], d, kProposalLimit);
      b = clipped(b, width - 1, height - 1);
      const bool large = b.x2 - b.x1 + 1 >= min_size && b.y2 - b.y1 + 1 >= min_size;
      all.add(rounded(b, precision), large ? scores[static_cast<size_t>(a * plane + i)] : 0.0f, 0);
    }
  all.keep_best(before);
  for (int64_t k : suppress(all.boxes, all.scores, nms_threshold, after))
    found.add(all.boxes[static_cast<size_t>(k)], all.scores[static_cast<size_t>(k)], 0);
  return found;
}

Found RegionDetections::run(const std::vector<Box>& regions) const {
  Found found;
  for (int64_t label = 1; label < classes; ++label) {
    Found of_class;
    for (size_t i = 0; i < regions.size(); ++i) {
      const Box& region = regions[i];
      const bool valid = region.x2 > region.x1 && region.y2 > region.y1;
      const size_t place = i * static_cast<size_t>(classes) + static_cast<size_t>(label);
      const float score = valid ? scores[place] : 0.0f;
      if (!(score > score_threshold)) continue;
      std::array<float, 4> d;
      for (size_t k = 0; k < 4; ++k) d[k] = deltas[place * 4 + k] / weights[k];
      const Box b = moved(region, d, max_delta);
      of_class.add(
          valid ? rounded({std::max(b.x1, 0.0f), std::max(b.y1, 0.0f), std::max(b.x2, 0.0f), std::max(b.y2, 0.0f)},
                          precision)
                : Box{},
          score, label);
    }
    for (int64_t k : suppress(of_class.boxes, of_class.scores, nms_threshold, per_class, 1.0f))
      found.add(of_class.boxes[static_cast<size_t>(k)], of_class.scores[static_cast<size_t>(k)], label);
  }
  if (limit >= 0 && found.boxes.size() > static_cast<size_t>(limit)) found.keep_best(limit);
  return found;
}

std::vector<Box> best_regions(const std::vector<Box>& regions, const std::vector<float>& probabilities, int64_t limit) {
  std::vector<Box> best;
  for (int64_t i : by_falling_score(probabilities)) {
    if (static_cast<int64_t>(best.size()) >= limit) break;
    best.push_back(regions[static_cast<size_t>(i)]);
  }
  return best;
}

std::vector<Box> prior_grid(const std::vector<Box>& priors, int64_t height, int64_t width, float step_x, float step_y) {
  std::vector<Box> grid;
  for (int64_t i = 0; i < height * width; ++i) {
    const int64_t row = i / width;
    const float x = (static_cast<float>(i % width) + 0.5f) * step_x, y = (static_cast<float>(row) + 0.5f) * step_y;
    for (const Box& b : priors) grid.push_back({b.x1 + x, b.y1 + y, b.x2 + x, b.y2 + y});
  }
  return grid;
}

std::vector<Box> boxes_of(std::span<const float> v) {
  std::vector<Box> boxes;
  for (size_t i = 0; i + 4 <= v.size(); i += 4) boxes.push_back({v[i], v[i + 1], v[i + 2], v[i + 3]});
  return boxes;
}

std::vector<float> numbers_of(const std::vector<Box>& boxes) {
  std::vector<float> v;
  for (const Box& b : boxes) v.insert(v.end(), {b.x1, b.y1, b.x2, b.y2});
  return v;
}

}  // namespace blobsmith::compute
