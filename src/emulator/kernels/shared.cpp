// What kernels of several families need.
#include <numeric>

#include "core/float16.hpp"
#include "emulator/kernels/kernels.hpp"

namespace blobsmith::emulator {

Grid compact_grid(void* data, DataType type, const Sizes& dims, int rank) {
  Grid g{static_cast<uint8_t*>(data), type, rank, dims};
  int64_t stride = vpu::element_size(type);
  for (int k = rank; k-- > 0; stride *= dims[static_cast<size_t>(k)]) g.strides[static_cast<size_t>(k)] = stride;
  return g;
}

RawTensor::RawTensor(ThreadPool& pool, const Grid& g) : RawTensor(vpu::element_size(g.type), g.count()) { copy_elements(pool, g, compact_grid(bytes.data(), g.type, g.dims, g.rank)); }

void RawTensor::store(ThreadPool& pool, const Grid& to) {
  if (vpu::element_size(to.type) != element || to.count() * element != static_cast<int64_t>(bytes.size())) throw Error(ErrorCode::BadBlob, "bad blob: an output of another size or type than computed");
  copy_elements(pool, compact_grid(bytes.data(), to.type, to.dims, to.rank), to);
}

Grid slice(Grid g, int axis, int64_t first, int64_t count) {
  const auto a = static_cast<size_t>(axis);
  if (axis < 0 || axis >= g.rank || first < 0 || count < 0 || count > g.dims[a] || first > g.dims[a] - count) throw Error(ErrorCode::BadBlob, "bad blob: a part outside its tensor");
  g.data += first * g.strides[a];
  g.dims[a] = count;
  return g;
}

Grid at_index(const Grid& g, int axis, int64_t index) {
  const Grid one = slice(g, axis, index, 1);
  Grid r{one.data, g.type};
  for (int k = 0; k < g.rank; ++k)
    if (k != axis) r.push(g.dims[static_cast<size_t>(k)], g.strides[static_cast<size_t>(k)]);
  return r;
}

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

float to_half_and_back(float v) { return half_to_float(float_to_half(v)); }

}  // namespace blobsmith::emulator
