#include "compute/boxes.hpp"

#include <algorithm>
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

std::vector<int64_t> suppress(const std::vector<Box>& boxes, const std::vector<float>& scores, float threshold, int64_t limit, float offset) {
  const auto area = [&](const Box& b) { return std::max(b.x2 - b.x1 + offset, 0.0f) * std::max(b.y2 - b.y1 + offset, 0.0f); };
  std::vector<int64_t> kept;
  for (int64_t i : by_falling_score(scores)) {
    if (limit >= 0 && static_cast<int64_t>(kept.size()) >= limit) break;
    const Box& b = boxes[static_cast<size_t>(i)];
    const bool overlaps = std::any_of(kept.begin(), kept.end(), [&](int64_t k) {
      const Box& a = boxes[static_cast<size_t>(k)];
      const float w = std::max(std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + offset, 0.0f), h = std::max(std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + offset, 0.0f);
      return w * h / std::max(area(a) + area(b) - w * h, 1e-12f) > threshold;
    });
    if (!overlaps) kept.push_back(i);
  }
  return kept;
}

}  // namespace blobsmith::compute
