#include "emulator/view.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/float16.hpp"
#include "core/float16_rows.hpp"

namespace blobsmith::emulator {
namespace {

constexpr int64_t kBlock = 256;  // halves converted at once

template <class T>
T load(const uint8_t* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <class T>
void store(uint8_t* p, T v) {
  std::memcpy(p, &v, sizeof v);
}

int64_t product(const Sizes& dims, int rank) {
  return std::accumulate(dims.begin(), dims.begin() + rank, int64_t{1}, std::multiplies<>());
}

/// Towards zero; what doesn't fit is cut to the range of 64 bits, NaN is 0.
int64_t truncate(float f) {
  if (!(f == f)) return 0;
  return static_cast<int64_t>(std::clamp(f, -0x1p62f, 0x1p62f));
}

Grid by_dims(const View& v, std::initializer_list<Dim> wanted) {
  Grid g{v.data, v.type};
  unsigned used = 0;
  for (Dim d : wanted) {
    const int p = v.order.position(d);
    if (p >= 0) used |= 1u << p;
    g.push(p >= 0 ? v.dims[static_cast<size_t>(p)] : 1, p >= 0 ? v.strides[static_cast<size_t>(p)] : 0);
  }
  for (int p = 0; p < v.rank; ++p)
    if (!(used >> p & 1) && v.dims[static_cast<size_t>(p)] != 1)
      throw Error(ErrorCode::BadBlob, "bad blob: a tensor in order " + v.order.name() + " where " +
                                          std::to_string(wanted.size()) + " dimensions are needed");
  return g;
}

template <class T>
void load_numbers(const uint8_t* from, int64_t stride, int64_t n, float* to) {
  constexpr int64_t kSize = sizeof(T);
  if (stride == kSize)
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<float>(load<T>(from + i * kSize));
  else
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<float>(load<T>(from + i * stride));
}

template <class T>
void copy_row(const uint8_t* from, int64_t from_step, uint8_t* to, int64_t to_step, int64_t n) {
  for (int64_t i = 0; i < n; ++i) store(to + i * to_step, load<T>(from + i * from_step));
}

}  // namespace

int64_t View::dim(Dim d) const {
  const int p = order.position(d);
  return p < 0 ? 1 : dims[static_cast<size_t>(p)];
}
int64_t View::count() const { return product(dims, rank); }
int64_t Grid::count() const { return product(dims, rank); }
const uint8_t* Grid::end() const {
  int64_t last = 0;
  for (size_t k = 0; k < static_cast<size_t>(rank); ++k) last += std::max<int64_t>(0, (dims[k] - 1) * strides[k]);
  return data + last + vpu::element_size(type);
}

Grid framework_order(const View& v) {
  Grid g{v.data, v.type};
  const DimsOrder standard = DimsOrder::of_rank(v.rank);
  for (int k = v.rank - 1; k >= 0; --k) {
    const int p = v.order.position(standard.at(k));
    if (p < 0) return memory_order(v);  // dimensions without a standard order
    g.push(v.dims[static_cast<size_t>(p)], v.strides[static_cast<size_t>(p)]);
  }
  return g;
}

Grid memory_order(const View& v) {
  Grid g{v.data, v.type};
  for (int p = v.rank - 1; p >= 0; --p) g.push(v.dims[static_cast<size_t>(p)], v.strides[static_cast<size_t>(p)]);
  return g;
}

Grid planes(const View& v) { return by_dims(v, {Dim::N, Dim::C, Dim::H, Dim::W}); }
Grid volumes(const View& v) { return by_dims(v, {Dim::N, Dim::C, Dim::D, Dim::H, Dim::W}); }

void load_row(const uint8_t* from, int64_t stride, DataType type, int64_t n, float* to) {
  switch (type) {
    case DataType::FP16:
      if (stride == 2) return halves_to_floats(from, to, static_cast<size_t>(n));
      if (stride == 0) {
        std::fill_n(to, n, half_to_float(load<Half>(from)));
        return;
      }
      for (int64_t first = 0; first < n; first += kBlock) {
        Half halves[kBlock];
        const int64_t count = std::min(kBlock, n - first);
        for (int64_t i = 0; i < count; ++i) halves[i] = load<Half>(from + (first + i) * stride);
        halves_to_floats(halves, to + first, static_cast<size_t>(count));
      }
      return;
    case DataType::FP32: return load_numbers<float>(from, stride, n, to);
    case DataType::S32: return load_numbers<int32_t>(from, stride, n, to);
    case DataType::U8: return load_numbers<uint8_t>(from, stride, n, to);
    case DataType::I8: return load_numbers<int8_t>(from, stride, n, to);
  }
}

void store_row(const float* from, uint8_t* to, int64_t stride, DataType type, int64_t n) {
  switch (type) {
    case DataType::FP16:
      if (stride == 2) return floats_to_halves(from, to, static_cast<size_t>(n));
      for (int64_t first = 0; first < n; first += kBlock) {
        Half halves[kBlock];
        const int64_t count = std::min(kBlock, n - first);
        floats_to_halves(from + first, halves, static_cast<size_t>(count));
        for (int64_t i = 0; i < count; ++i) store(to + (first + i) * stride, halves[i]);
      }
      return;
    case DataType::FP32:
      for (int64_t i = 0; i < n; ++i) store(to + i * stride, from[i]);
      return;
    case DataType::S32:
      for (int64_t i = 0; i < n; ++i) store(to + i * stride, static_cast<int32_t>(truncate(from[i])));
      return;
    case DataType::U8:
    case DataType::I8:
      for (int64_t i = 0; i < n; ++i) to[i * stride] = static_cast<uint8_t>(truncate(from[i]));
      return;
  }
}

void load_rows(const uint8_t* from, int64_t row_stride, int64_t stride, DataType type, int64_t rows, int64_t width,
               float* to, int64_t pitch) {
  if (row_stride == stride * width && pitch == width) return load_row(from, stride, type, rows * width, to);
  if (type == DataType::FP16 && stride == 2) return halves_to_floats(from, row_stride, to, pitch, rows, width);
  for (int64_t r = 0; r < rows; ++r) load_row(from + r * row_stride, stride, type, width, to + r * pitch);
}

void store_rows(const float* from, int64_t pitch, uint8_t* to, int64_t row_stride, int64_t stride, DataType type,
                int64_t rows, int64_t width) {
  if (row_stride == stride * width && pitch == width) return store_row(from, to, stride, type, rows * width);
  if (type == DataType::FP16 && stride == 2) return floats_to_halves(from, pitch, to, row_stride, rows, width);
  for (int64_t r = 0; r < rows; ++r) store_row(from + r * pitch, to + r * row_stride, stride, type, width);
}

std::vector<float> read_floats(const Grid& g) {
  std::vector<float> out(static_cast<size_t>(g.count()));
  float* to = out.data();
  for_each_row(nest_of(g), [&](const auto& at, const auto& step, int64_t n) {
    load_row(at[0], step[0], g.type, n, to);
    to += n;
  });
  return out;
}

void write_floats(const Grid& g, const float* values) {
  for_each_row(nest_of(g), [&](const auto& at, const auto& step, int64_t n) {
    store_row(values, at[0], step[0], g.type, n);
    values += n;
  });
}

std::vector<int64_t> read_integers(const Grid& g) {
  std::vector<int64_t> out;
  out.reserve(static_cast<size_t>(g.count()));
  std::vector<float> row;
  for_each_row(nest_of(g), [&](const auto& at, const auto& step, int64_t n) {
    if (g.type == DataType::S32) {
      for (int64_t i = 0; i < n; ++i) out.push_back(load<int32_t>(at[0] + i * step[0]));
      return;
    }
    row.resize(static_cast<size_t>(n));
    load_row(at[0], step[0], g.type, n, row.data());
    for (float f : row) out.push_back(truncate(f));
  });
  return out;
}

void write_integers(const Grid& g, const int64_t* values) {
  for_each_row(nest_of(g), [&](const auto& at, const auto& step, int64_t n) {
    for (int64_t i = 0; i < n; ++i, ++values) {
      uint8_t* to = at[0] + i * step[0];
      if (g.type == DataType::S32) {
        store(to, static_cast<int32_t>(*values));
      } else {
        const auto f = static_cast<float>(*values);
        store_row(&f, to, 0, g.type, 1);
      }
    }
  });
}

namespace {
void check_count(const Grid& g, size_t values) {
  if (g.count() != static_cast<int64_t>(values))
    throw Error(ErrorCode::BadBlob, "bad blob: an output of another size than computed");
}
}  // namespace

void write(const Grid& g, const std::vector<float>& values) {
  check_count(g, values.size());
  write_floats(g, values.data());
}

void write(const Grid& g, const std::vector<int64_t>& values) {
  check_count(g, values.size());
  write_integers(g, values.data());
}

template <size_t K>
Nest<K> simplified(const Nest<K>& in) {
  std::vector<size_t> axes;
  for (size_t i = 0; i < static_cast<size_t>(in.rank); ++i)
    if (in.dims[i] != 1) axes.push_back(i);
  std::stable_sort(axes.begin(), axes.end(),
                   [&](size_t a, size_t b) { return std::abs(in.strides[0][a]) > std::abs(in.strides[0][b]); });
  Nest<K> out;
  out.base = in.base;
  for (size_t a : axes) {
    const auto last = static_cast<size_t>(out.rank - 1);
    bool merge = out.rank > 0;
    for (size_t k = 0; merge && k < K; ++k) merge = out.strides[k][last] == in.strides[k][a] * in.dims[a];
    const size_t at = merge ? last : static_cast<size_t>(out.rank++);
    out.dims[at] = merge ? out.dims[at] * in.dims[a] : in.dims[a];
    for (size_t k = 0; k < K; ++k) out.strides[k][at] = in.strides[k][a];
  }
  return out;
}
template Nest<1> simplified(const Nest<1>&);
template Nest<2> simplified(const Nest<2>&);
template Nest<3> simplified(const Nest<3>&);
template Nest<4> simplified(const Nest<4>&);

void copy_elements(ThreadPool& pool, const Grid& from, const Grid& to) {
  const int64_t size = vpu::element_size(to.type);
  const bool same = from.rank == to.rank &&
                    std::equal(from.dims.begin(), from.dims.begin() + from.rank, to.dims.begin()) &&
                    vpu::element_size(from.type) == size;
  if (!same) throw Error(ErrorCode::BadBlob, "bad blob: a copy between tensors of different sizes or types");
  const Nest<2> nest = simplified(Nest<2>{to.rank, to.dims, {to.strides, from.strides}, {to.data, from.data}});
  for_each_row(pool, nest, [size](const auto& at, const auto& step, int64_t n) {
    if (step[0] == size && step[1] == size)
      std::memmove(at[0], at[1], static_cast<size_t>(n * size));
    else if (size == 2)
      copy_row<uint16_t>(at[1], step[1], at[0], step[0], n);
    else if (size == 4)
      copy_row<uint32_t>(at[1], step[1], at[0], step[0], n);
    else
      copy_row<uint8_t>(at[1], step[1], at[0], step[0], n);
  });
}

}  // namespace blobsmith::emulator
