// What several kernels need.
#pragma once
#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <optional>
#include <vector>

#include "compute/activation.hpp"
#include "compute/boxes.hpp"
#include "emulator/kernels/kernels.hpp"

namespace blobsmith::emulator {

/// Elements of operand 0 from those of the others, all as floats: f(out, ins, n) with n at most 1024.
template <size_t K, class F>
void map_rows(ThreadPool& pool, const Nest<K>& operands, const std::array<DataType, K>& types, F f) {
  constexpr int64_t kBlock = 1024;
  using Pointers = std::array<uint8_t*, K>;
  using Steps = std::array<int64_t, K>;
  // As many rows at once as there is room for.
  const auto map = [&](const Pointers& at, const Steps& row_step, const Steps& step, int64_t rows, int64_t width) {
    float values[K][kBlock];
    std::array<const float*, K - 1> ins;
    for (size_t k = 1; k < K; ++k) ins[k - 1] = values[k];
    const int64_t part = std::min(width, kBlock), rows_at_once = part > 0 ? kBlock / part : 1;
    for (int64_t row = 0; row < rows; row += rows_at_once)
      for (int64_t first = 0; first < width; first += part) {
        const int64_t n = std::min(rows_at_once, rows - row), columns = std::min(part, width - first);
        const auto place = [&](size_t k) { return at[k] + row * row_step[k] + first * step[k]; };
        for (size_t k = 1; k < K; ++k)
          load_rows(place(k), row_step[k], step[k], types[k], n, columns, values[k], columns);
        f(values[0], ins, n * columns);
        store_rows(values[0], columns, place(0), row_step[0], step[0], types[0], n, columns);
      }
  };
  Nest<K> nest = simplified(operands);
  if (nest.rank < 2)
    return for_each_row(pool, nest, [&](const Pointers& at, const Steps& step, int64_t n) { map(at, {}, step, 1, n); });
  const auto inner = static_cast<size_t>(--nest.rank);
  const int64_t width = nest.dims[inner];
  Steps step;
  for (size_t k = 0; k < K; ++k) step[k] = nest.strides[k][inner];
  for_each_row(
      pool, nest,
      [&](const Pointers& at, const Steps& row_step, int64_t rows) { map(at, row_step, step, rows, width); }, width);
}

/// The ranges of indices that one part of several tensors has along each axis.
struct PartRange {
  Sizes first{}, count{};
};
/// Cuts sizes along the axes whose bit is not set in `whole` into parts of some thousand elements, first along the axes
/// with the largest strides; calls f for each, over several threads. `each`: about how many operations f does per
/// element.
void for_each_part(ThreadPool& pool, const Grid& g, unsigned whole, int64_t each,
                   const std::function<void(const PartRange&)>& f);
/// That part of a tensor; of the axes in `whole` all.
Grid part_of(Grid g, const PartRange& part, unsigned whole);
constexpr unsigned axis_bit(int axis) { return 1u << axis; }

/// Values of x, part by part as floats in the order of its axes, through f(values, sizes) into y, which has the same
/// sizes.
template <class F>
void map_parts(StageRun& s, const Grid& x, const Grid& y, unsigned whole, int64_t each, F f) {
  s.check(x.rank == y.rank && x.dims == y.dims, "input and output of different sizes");
  for_each_part(s.pool(), x, whole, each, [&](const PartRange& range) {
    const Grid from = part_of(x, range, whole);
    std::vector<float> values = read_floats(from);
    f(values, from.dims);
    write(part_of(y, range, whole), values);
  });
}

/// A float vector as an operand.
inline uint8_t* bytes_of(std::vector<float>& v) { return reinterpret_cast<uint8_t*>(v.data()); }
/// Compact values as a grid of the given sizes (outermost first).
Grid compact_grid(void* data, DataType type, const Sizes& dims, int rank);

/// A tensor's elements, compact, bits unchanged.
struct RawTensor {
  std::vector<uint8_t> bytes;
  int64_t element = 0;  ///< bytes of one
  RawTensor(ThreadPool& pool, const Grid& g);
  RawTensor(int64_t element_bytes, int64_t count)
      : bytes(static_cast<size_t>(element_bytes * count)), element(element_bytes) {}
  /// Stores as many elements as the grid has, which must be all.
  void store(ThreadPool& pool, const Grid& to);
};

/// FP16 numbers side by side, in memory order: where they are, or a copy of those that lie apart.
class CompactHalves {
 public:
  /// Throws BadBlob unless there are as many.
  CompactHalves(StageRun& s, const View& stored, int64_t least);
  const uint8_t* data() const { return copy_ ? copy_->bytes.data() : data_; }

 private:
  const uint8_t* data_;
  std::optional<RawTensor> copy_;
};

/// Part of a grid: `count` elements along an axis from `first`.
Grid slice(Grid g, int axis, int64_t first, int64_t count);
/// The same without the axis.
Grid at_index(const Grid& g, int axis, int64_t index);
/// What a channel has: of N, C, H, W a plane, of N, C, D, H, W a volume.
inline Grid plane_at(const Grid& g, int64_t n, int64_t channel) { return at_index(at_index(g, 0, n), 0, channel); }
inline int64_t product(const Sizes& dims, int begin, int end) {
  int64_t n = 1;
  for (int k = begin; k < end; ++k) n *= dims[static_cast<size_t>(k)];
  return n;
}

/// The sum of f over values, in several partial sums of type T, so that additions need not wait for each other.
template <class T, class F>
T sum_in_lanes(const float* values, int64_t n, F f) {
  constexpr int64_t kLanes = 8;
  T sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += f(values[i + lane]);
  for (; i < n; ++i) sums[i % kLanes] += f(values[i]);
  return std::accumulate(sums, sums + kLanes, T(0));
}

using compute::Box;
using compute::by_falling_score;
using compute::suppress;
float to_half_and_back(float v);
using compute::sigmoid;

}  // namespace blobsmith::emulator
