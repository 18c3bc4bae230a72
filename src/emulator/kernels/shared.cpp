// What kernels of several families need.
#include "emulator/kernels/shared.hpp"

#include <algorithm>

#include "core/float16.hpp"

namespace blobsmith::emulator {

Grid compact_grid(void* data, DataType type, const Sizes& dims, int rank) {
  Grid g{static_cast<uint8_t*>(data), type, rank, dims};
  int64_t stride = vpu::element_size(type);
  for (int k = rank; k-- > 0; stride *= dims[static_cast<size_t>(k)]) g.strides[static_cast<size_t>(k)] = stride;
  return g;
}

RawTensor::RawTensor(ThreadPool& pool, const Grid& g) : RawTensor(vpu::element_size(g.type), g.count()) {
  copy_elements(pool, g, compact_grid(bytes.data(), g.type, g.dims, g.rank));
}

void RawTensor::store(ThreadPool& pool, const Grid& to) {
  if (vpu::element_size(to.type) != element || to.count() * element != static_cast<int64_t>(bytes.size()))
    throw Error(ErrorCode::BadBlob, "bad blob: an output of another size or type than computed");
  copy_elements(pool, compact_grid(bytes.data(), to.type, to.dims, to.rank), to);
}

CompactHalves::CompactHalves(StageRun& s, const View& stored, int64_t least) : data_(stored.data) {
  const Grid g = memory_order(stored);
  s.check(vpu::element_size(g.type) == 2 && least <= g.count(), "fewer weights than needed");
  if (!(g == compact_grid(g.data, g.type, g.dims, g.rank))) copy_.emplace(s.pool(), g);
}

Grid slice(Grid g, int axis, int64_t first, int64_t count) {
  const auto a = static_cast<size_t>(axis);
  if (axis < 0 || axis >= g.rank || first < 0 || count < 0 || count > g.dims[a] || first > g.dims[a] - count)
    throw Error(ErrorCode::BadBlob, "bad blob: a part outside its tensor");
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

void for_each_part(ThreadPool& pool, const Grid& g, unsigned whole, int64_t each,
                   const std::function<void(const PartRange&)>& f) {
  constexpr int64_t kElements = 1 << 14;
  const int64_t total = g.count();
  if (total == 0) return;
  std::vector<size_t> axes;
  for (size_t k = 0; k < static_cast<size_t>(g.rank); ++k)
    if (!(whole >> k & 1)) axes.push_back(k);
  std::stable_sort(axes.begin(), axes.end(), [&](size_t a, size_t b) { return g.strides[a] > g.strides[b]; });
  Sizes parts;
  parts.fill(1);
  int64_t wanted = std::max((total + kElements - 1) / kElements,
                            std::min<int64_t>(total * each / ThreadPool::kLittleWork, 2 * pool.threads())),
          count = 1;
  for (size_t k : axes) {
    parts[k] = std::clamp<int64_t>(wanted, 1, g.dims[k]);
    wanted = (wanted + parts[k] - 1) / parts[k];
    count *= parts[k];
  }
  pool.run(
      count,
      [&](int64_t task) {
        PartRange range;
        for (size_t k : axes) {
          const int64_t i = task % parts[k];
          task /= parts[k];
          range.first[k] = g.dims[k] * i / parts[k];
          range.count[k] = g.dims[k] * (i + 1) / parts[k] - range.first[k];
        }
        f(range);
      },
      total * each);
}

Grid part_of(Grid g, const PartRange& part, unsigned whole) {
  for (int k = 0; k < g.rank; ++k)
    if (!(whole >> k & 1)) g = slice(g, k, part.first[static_cast<size_t>(k)], part.count[static_cast<size_t>(k)]);
  return g;
}

float to_half_and_back(float v) { return half_to_float(float_to_half(v)); }

}  // namespace blobsmith::emulator
