// Tensors in the emulator's memories: views with byte strides, loops over them, conversion of their values.
// All address ranges have been checked before a View is made (memory.hpp).
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "compute/thread_pool.hpp"
#include "vpu/format/data_desc.hpp"

namespace blobsmith::emulator {

using compute::ThreadPool;
using vpu::DataType;
using vpu::Dim;
using vpu::DimsOrder;

inline constexpr int kMaxRank = 8;
using Sizes = std::array<int64_t, kMaxRank>;

/// A tensor as a buffer record describes it: axis k is memory position k (0 = innermost).
struct View {
  uint8_t* data = nullptr;
  DataType type = DataType::FP16;
  DimsOrder order;
  int rank = 0;
  Sizes dims{}, strides{};

  int64_t dim(Dim d) const;  ///< 1 when the tensor doesn't have it
  int64_t count() const;
};

/// A tensor with its axes in an order of choice, outermost first.
struct Grid {
  uint8_t* data = nullptr;
  DataType type = DataType::FP16;
  int rank = 0;
  Sizes dims{}, strides{};

  int64_t count() const;
  /// Behind the last byte.
  const uint8_t* end() const;
  bool operator==(const Grid&) const = default;
  void push(int64_t size, int64_t stride) {
    dims[static_cast<size_t>(rank)] = size;
    strides[static_cast<size_t>(rank)] = stride;
    ++rank;
  }
};

Grid framework_order(const View& v);  ///< NCHW-like, outermost first (execution spec §1.6)
Grid memory_order(const View& v);
Grid planes(const View& v);   ///< N, C, H, W; an Error if another dimension is larger than 1
Grid volumes(const View& v);  ///< N, C, D, H, W

// ---- values ----
void load_row(const uint8_t* from, int64_t stride, DataType type, int64_t n, float* to);
/// FP16: to nearest even; integers: towards zero, then the low bits.
void store_row(const float* from, uint8_t* to, int64_t stride, DataType type, int64_t n);
/// Several rows; `pitch`: floats from one to the next.
void load_rows(const uint8_t* from, int64_t row_stride, int64_t stride, DataType type, int64_t rows, int64_t width,
               float* to, int64_t pitch);
void store_rows(const float* from, int64_t pitch, uint8_t* to, int64_t row_stride, int64_t stride, DataType type,
                int64_t rows, int64_t width);

std::vector<float> read_floats(const Grid& g);  ///< compact, in the grid's order
void write_floats(const Grid& g, const float* values);
std::vector<int64_t> read_integers(const Grid& g);
void write_integers(const Grid& g, const int64_t* values);
/// The same for as many values as the grid has; else BadBlob.
void write(const Grid& g, const std::vector<float>& values);
void write(const Grid& g, const std::vector<int64_t>& values);

// ---- loops ----
/// K tensors walked together. Strides may be 0 (broadcast) or negative.
template <size_t K>
struct Nest {
  int rank = 0;
  Sizes dims{};
  std::array<Sizes, K> strides{};
  std::array<uint8_t*, K> base{};
};

inline Nest<1> nest_of(const Grid& g) { return {g.rank, g.dims, {g.strides}, {g.data}}; }

/// The same loops in another order: outermost the largest stride of tensor 0, adjoining axes merged where all tensors
/// allow it.
template <size_t K>
Nest<K> simplified(const Nest<K>& in);
extern template Nest<1> simplified(const Nest<1>&);
extern template Nest<2> simplified(const Nest<2>&);
extern template Nest<3> simplified(const Nest<3>&);
extern template Nest<4> simplified(const Nest<4>&);

/// Calls f(pointers, strides, count) for every innermost row.
template <size_t K, class F>
void for_each_row(const Nest<K>& nest, F f) {
  for (int i = 0; i < nest.rank; ++i)
    if (nest.dims[static_cast<size_t>(i)] == 0) return;
  std::array<uint8_t*, K> at = nest.base;
  std::array<int64_t, K> step{};
  if (nest.rank == 0) return f(at, step, int64_t{1});
  const int inner = nest.rank - 1;
  for (size_t k = 0; k < K; ++k) step[k] = nest.strides[k][static_cast<size_t>(inner)];
  Sizes index{};
  for (;;) {
    f(at, step, nest.dims[static_cast<size_t>(inner)]);
    int axis = inner - 1;
    for (; axis >= 0; --axis) {
      const auto a = static_cast<size_t>(axis);
      for (size_t k = 0; k < K; ++k) at[k] += nest.strides[k][a];
      if (++index[a] < nest.dims[a]) break;
      for (size_t k = 0; k < K; ++k) at[k] -= nest.strides[k][a] * nest.dims[a];
      index[a] = 0;
    }
    if (axis < 0) return;
  }
}

/// The same over several threads when there is enough to do; rows may be cut.
/// `each`: how many elements f has to do with for every one of the nest.
template <size_t K, class F>
void for_each_row(ThreadPool& pool, const Nest<K>& nest, F f, int64_t each = 1) {
  constexpr int64_t kWorthwhile = 1 << 15;
  int64_t total = each;
  size_t widest = 0;
  for (int i = 0; i < nest.rank; ++i) {
    total *= nest.dims[static_cast<size_t>(i)];
    if (nest.dims[static_cast<size_t>(i)] > nest.dims[widest]) widest = static_cast<size_t>(i);
  }
  if (total < kWorthwhile || pool.threads() == 1) return for_each_row(nest, f);
  const int64_t size = nest.dims[widest], parts = std::min<int64_t>(size, pool.threads() * 2);
  pool.run(parts, [&](int64_t part) {
    const int64_t begin = size * part / parts, end = size * (part + 1) / parts;
    Nest<K> piece = nest;
    for (size_t k = 0; k < K; ++k) piece.base[k] += begin * nest.strides[k][widest];
    piece.dims[widest] = end - begin;
    for_each_row(piece, f);
  });
}

/// Elements of equal size, bits unchanged. The grids have equal dims.
void copy_elements(ThreadPool& pool, const Grid& from, const Grid& to);

}  // namespace blobsmith::emulator
