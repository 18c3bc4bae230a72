#include "compute/boxes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace blobsmith::compute {

std::vector<int64_t> by_falling_score(const std::vector<float>& scores) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  // NaN would break the sort's rules; it counts as the lowest score.
  const auto key = [&](int64_t i) {
    const float v = scores[static_cast<size_t>(i)];
    return v == v ? v : -std::numeric_limits<float>::infinity();
  };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return key(a) > key(b); });
  return order;
}

Box clipped(const Box& b, float width, float height) {
  const auto cut = [](float v, float high) { return std::min(std::max(v, 0.0f), high); };
  return {cut(b.x1, width), cut(b.y1, height), cut(b.x2, width), cut(b.y2, height)};
}

float overlap(const Box& a, const Box& b, float offset) {
  const auto area = [&](const Box& box) {
    return std::max(box.x2 - box.x1 + offset, 0.0f) * std::max(box.y2 - box.y1 + offset, 0.0f);
  };
  const float w = std::max(std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + offset, 0.0f),
              h = std::max(std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + offset, 0.0f);
  return w * h / std::max(area(a) + area(b) - w * h, 1e-12f);
}

std::vector<int64_t> suppress(const std::vector<Box>& boxes, const std::vector<float>& scores, float threshold,
                              int64_t limit, float offset) {
  std::vector<int64_t> kept;
  for (int64_t i : by_falling_score(scores)) {
    if (limit >= 0 && static_cast<int64_t>(kept.size()) >= limit) break;
    const Box& b = boxes[static_cast<size_t>(i)];
    if (std::none_of(kept.begin(), kept.end(),
                     [&](int64_t k) { return overlap(boxes[static_cast<size_t>(k)], b, offset) > threshold; }))
      kept.push_back(i);
  }
  return kept;
}

std::vector<int64_t> suppress_softly(const std::vector<Box>& boxes, std::vector<float>& scores, float sigma,
                                     float least, int64_t limit) {
  struct Candidate {
    int64_t box;
    size_t seen;  ///< how many of the kept have lowered its score
  };
  std::vector<Candidate> waiting;
  for (int64_t i : by_falling_score(scores)) waiting.push_back({i, 0});
  std::vector<int64_t> kept;
  while (!waiting.empty() && static_cast<int64_t>(kept.size()) < limit) {
    Candidate next = waiting.front();
    waiting.erase(waiting.begin());
    float& score = scores[static_cast<size_t>(next.box)];
    const float before = score;
    for (; next.seen < kept.size() && score > least; ++next.seen) {
      const float o = overlap(boxes[static_cast<size_t>(kept[next.seen])], boxes[static_cast<size_t>(next.box)]);
      score *= std::exp(-0.5f / sigma * o * o);
    }
    if (!(score > least)) continue;
    if (score == before) {
      kept.push_back(next.box);
      continue;
    }
    const auto behind = std::find_if(waiting.begin(), waiting.end(),
                                     [&](const Candidate& c) { return scores[static_cast<size_t>(c.box)] < score; });
    waiting.insert(behind, next);
  }
  return kept;
}

}  // namespace blobsmith::compute
