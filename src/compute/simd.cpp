// Compiled once for each kind of processor (Highway): everything between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE.
#include "compute/simd.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "compute/simd.cpp"
// clang-format off: foreach_target.h comes first
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

#include "core/float16-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace blobsmith::compute::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using blobsmith::HWY_NAMESPACE::lanes_of;
using blobsmith::HWY_NAMESPACE::load_halves;

// Sums in registers: 24 where there are 32 of them, else 12.
constexpr int kTileRows = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON ? 8 : 4;

/// As many of a group's channels as a vector holds.
using Channels = hn::CappedTag<float, kGroup>;
constexpr int64_t kParts = kGroup / lanes_of<Channels>;

/// Which of four halves are not zero, as four bits.
HWY_INLINE unsigned nonzero_mask(uint64_t halves) {
  constexpr uint64_t kMagnitude = 0x7FFF7FFF7FFF7FFF, kTops = 0x8000800080008000;
  const uint64_t flags = (((halves & kMagnitude) + kMagnitude) & kTops) >> 15;  // bits 0, 16, 32, 48
  return static_cast<unsigned>(flags * 0x0001000200040008 >> 48) & 0xF;
}

/// Packs 8 rows at once, unless one of their weights is zero.
HWY_INLINE bool pack_block(const uint8_t* row, int64_t first, float* to, int32_t* kept, uint8_t* masks) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<uint16_t, 64> d16;
  const hn::CappedTag<int32_t, 8> d32;
  constexpr int64_t kLanes = lanes_of<decltype(d)>, kHalves = lanes_of<decltype(d16)>,
                    kNumbers = lanes_of<decltype(d32)>;
  const auto magnitude = hn::Set(d16, uint16_t{0x7FFF});
  auto least = magnitude;
  for (int64_t i = 0; i < 8 * kGroup; i += kHalves)
    least = hn::Min(least, hn::And(hn::LoadU(d16, reinterpret_cast<const uint16_t*>(row) + i), magnitude));
  if (!hn::AllFalse(d16, hn::Eq(least, hn::Zero(d16)))) return false;
  for (int64_t i = 0; i < 8 * kGroup; i += kLanes) hn::StoreU(load_halves(d, row + 2 * i), d, to + i);
  for (int64_t i = 0; i < 8; i += kNumbers) hn::StoreU(hn::Iota(d32, static_cast<int32_t>(first + i)), d32, kept + i);
  std::fill_n(masks, 8, uint8_t{0xFF});
  return true;
}

PackedRows pack_weights(const void* halves, int64_t k, float* to, int32_t* kept, uint8_t* masks) {
  const Channels d;
  const auto* row = static_cast<const uint8_t*>(halves);
  PackedRows n;
  for (int64_t i = 0; i < k;) {
    if (i + 8 <= k && pack_block(row, i, to + n.rows * kGroup, kept + n.rows, masks + n.rows)) {
      n.rows += 8;
      i += 8;
      row += 8 * 2 * kGroup;
      continue;
    }
    for (const int64_t end = std::min(k, i + 8); i < end; ++i, row += 2 * kGroup) {
      uint64_t bits[2];
      std::memcpy(bits, row, sizeof bits);
      const unsigned mask = nonzero_mask(bits[0]) | nonzero_mask(bits[1]) << 4;
      if (mask == 0) continue;
      n.zeros += kGroup - std::popcount(mask);
      for (int64_t part = 0; part < kParts; ++part)
        hn::StoreU(load_halves(d, row + part * 2 * lanes_of<Channels>), d,
                   to + n.rows * kGroup + part * lanes_of<Channels>);
      masks[n.rows] = static_cast<uint8_t>(mask);
      kept[n.rows++] = static_cast<int32_t>(i);
    }
  }
  return n;
}

/// M rows x V vectors of pixels, held in registers over the whole sum.
template <int M, int V, int kStride = kGroup, class D>
HWY_INLINE void tile(D d, const float* HWY_RESTRICT weights, const float* HWY_RESTRICT x,
                     const int32_t* HWY_RESTRICT offsets, int64_t k, float* HWY_RESTRICT out, int64_t out_pitch) {
  constexpr int64_t kLanes = lanes_of<D>;
  hn::Vec<D> sum[M][V];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sum[m][v] = hn::Zero(d);
  for (int64_t i = 0; i < k; ++i, weights += kStride) {
    const float* at = x + offsets[i];
    hn::Vec<D> pixels[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) pixels[v] = hn::LoadU(d, at + kLanes * v);
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) {
      const auto w = hn::Set(d, weights[m]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[m][v] = hn::MulAdd(w, pixels[v], sum[m][v]);
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) hn::StoreU(sum[m][v], d, out + m * out_pitch + kLanes * v);
}

/// V vectors of pixels for all 8 rows.
template <int V, class D>
HWY_INLINE void tiles(D d, const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out,
                      int64_t out_pitch) {
  for (int m = 0; m < kGroup; m += kTileRows)
    tile<kTileRows, V>(d, weights + m, x, offsets, k, out + m * out_pitch, out_pitch);
}

void accumulate(const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out, int64_t out_pitch,
                int64_t pixels) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 8> narrow;
  constexpr int64_t kLanes = lanes_of<decltype(d)>, kNarrow = lanes_of<decltype(narrow)>;
  int64_t p = 0;
  for (; p + 2 * kLanes < pixels; p += 3 * kLanes) tiles<3>(d, weights, x + p, offsets, k, out + p, out_pitch);
  if (p + kLanes < pixels) return tiles<2>(d, weights, x + p, offsets, k, out + p, out_pitch);
  if (p + kNarrow < pixels) return tiles<1>(d, weights, x + p, offsets, k, out + p, out_pitch);
  if (p < pixels) tiles<1>(narrow, weights, x + p, offsets, k, out + p, out_pitch);
}

void accumulate_one(const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out,
                    int64_t pixels) {
  const hn::ScalableTag<float> d;
  constexpr int64_t kLanes = lanes_of<decltype(d)>;
  int64_t p = 0;
  for (; p + 3 * kLanes < pixels; p += 4 * kLanes) tile<1, 4, 1>(d, weights, x + p, offsets, k, out + p, 0);
  if (p + 2 * kLanes < pixels) return tile<1, 3, 1>(d, weights, x + p, offsets, k, out + p, 0);
  if (p + kLanes < pixels) return tile<1, 2, 1>(d, weights, x + p, offsets, k, out + p, 0);
  if (p < pixels) tile<1, 1, 1>(d, weights, x + p, offsets, k, out + p, 0);
}

/// G groups x P pixels: enough sums that additions need not wait for each other.
template <int G, int P>
HWY_INLINE void columns(const GroupedWeights& weights, int64_t group, const float* HWY_RESTRICT x,
                        const int32_t* HWY_RESTRICT offsets, int64_t k, const int32_t* pixel_offsets, int64_t pixels,
                        int64_t pixel, float* out) {
  const Channels d;
  constexpr int64_t kLanes = lanes_of<Channels>;
  const uint8_t* row = static_cast<const uint8_t*>(weights.halves) + group * weights.group_elements * 2;
  hn::Vec<Channels> sum[G][P][kParts];
#pragma GCC unroll 8
  for (int g = 0; g < G; ++g)
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 8
      for (int64_t part = 0; part < kParts; ++part) sum[g][p][part] = hn::Zero(d);
  const float* at[P];
  for (int p = 0; p < P; ++p) at[p] = x + pixel_offsets[pixel + p];
  for (int64_t i = 0; i < k; ++i, row += 2 * kGroup) {
    hn::Vec<Channels> v[P];
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) v[p] = hn::Set(d, at[p][offsets[i]]);
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g)
#pragma GCC unroll 8
      for (int64_t part = 0; part < kParts; ++part) {
        const auto w = load_halves(d, row + g * weights.group_elements * 2 + part * 2 * kLanes);
#pragma GCC unroll 8
        for (int p = 0; p < P; ++p) sum[g][p][part] = hn::MulAdd(w, v[p], sum[g][p][part]);
      }
  }
#pragma GCC unroll 8
  for (int g = 0; g < G; ++g)
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 8
      for (int64_t part = 0; part < kParts; ++part)
        hn::StoreU(sum[g][p][part], d, out + ((group + g) * pixels + pixel + p) * kGroup + part * kLanes);
}

void columns_without_zeros(const GroupedWeights& weights, const float* x, const int32_t* offsets, int64_t k,
                           const int32_t* pixel_offsets, int64_t pixels, float* out) {
  const Channels d;
  constexpr int64_t kLanes = lanes_of<Channels>;
  std::fill_n(out, weights.groups * pixels * kGroup, 0.0f);
  for (int64_t g = 0; g < weights.groups; ++g, out += pixels * kGroup) {
    const uint8_t* row = static_cast<const uint8_t*>(weights.halves) + g * weights.group_elements * 2;
    for (int64_t i = 0; i < k; ++i, row += 2 * kGroup) {
      float w[kGroup];
      for (int64_t part = 0; part < kParts; ++part)
        hn::StoreU(load_halves(d, row + part * 2 * kLanes), d, w + part * kLanes);
      if (std::all_of(w, w + kGroup, [](float v) { return v == 0; })) continue;
      for (int64_t p = 0; p < pixels; ++p)
        for (int64_t part = 0; part < kParts; ++part) {
          float* to = out + p * kGroup + part * kLanes;
          hn::StoreU(hn::MulAdd(hn::LoadU(d, w + part * kLanes), hn::Set(d, x[offsets[i] + pixel_offsets[p]]),
                                hn::LoadU(d, to)),
                     d, to);
        }
    }
  }
}

/// All groups for P pixels.
template <int P>
void all_groups(const GroupedWeights& weights, const float* x, const int32_t* offsets, int64_t k,
                const int32_t* pixel_offsets, int64_t pixels, int64_t pixel, float* out) {
  constexpr int kAtOnce = 8 / P;
  int64_t g = 0;
  for (; g + kAtOnce <= weights.groups; g += kAtOnce)
    columns<kAtOnce, P>(weights, g, x, offsets, k, pixel_offsets, pixels, pixel, out);
  for (; g < weights.groups; ++g) columns<1, P>(weights, g, x, offsets, k, pixel_offsets, pixels, pixel, out);
}

void accumulate_columns(const GroupedWeights& weights, const float* x, const int32_t* offsets, int64_t k,
                        const int32_t* pixel_offsets, int64_t pixels, float* out) {
  if (weights.skip_zeros) return columns_without_zeros(weights, x, offsets, k, pixel_offsets, pixels, out);
  int64_t p = 0;
  for (; p + 4 <= pixels; p += 4) all_groups<4>(weights, x, offsets, k, pixel_offsets, pixels, p, out);
  for (; p + 2 <= pixels; p += 2) all_groups<2>(weights, x, offsets, k, pixel_offsets, pixels, p, out);
  if (p < pixels) all_groups<1>(weights, x, offsets, k, pixel_offsets, pixels, p, out);
}

void every_second(const float* from, int64_t n, float* to) {
  const hn::ScalableTag<float> d;
  constexpr int64_t kLanes = lanes_of<decltype(d)>;
  int64_t i = 0;
  for (; i + kLanes < n; i += kLanes) {  // the last one has no neighbour that may be read
    hn::Vec<decltype(d)> even, odd;
    hn::LoadInterleaved2(d, from + 2 * i, even, odd);
    hn::StoreU(even, d, to + i);
  }
  for (; i < n; ++i) to[i] = from[2 * i];
}

void separate_three(const uint8_t* from, int64_t step, int64_t count, uint16_t* to, int64_t pitch) {
  const hn::CappedTag<uint16_t, kGroup> d;
  constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(decltype(d)()));
  for (int64_t i = 0; i < count; ++i, from += step)
    for (int64_t m = 0; m < kGroup; m += kLanes, to += kLanes) {
      hn::Vec<decltype(d)> a, b, c;
      hn::LoadInterleaved3(d, reinterpret_cast<const uint16_t*>(from) + 3 * m, a, b, c);
      hn::StoreU(a, d, to);
      hn::StoreU(b, d, to + pitch);
      hn::StoreU(c, d, to + 2 * pitch);
    }
}

bool all_finite(const float* values, int64_t n) {
  const hn::ScalableTag<float> d;
  constexpr int64_t kLanes = lanes_of<decltype(d)>;
  auto sum = hn::Zero(d);  // 0 times a finite number is 0, times another NaN
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) sum = hn::MulAdd(hn::LoadU(d, values + i), hn::Zero(d), sum);
  float rest = 0;
  for (; i < n; ++i) rest += values[i] * 0;
  return rest == 0 && hn::AllTrue(d, hn::Eq(sum, hn::Zero(d)));
}

/// Vectors of f, the rest by way of a padded copy.
template <class F>
HWY_INLINE void apply(float* values, int64_t n, F f) {
  const hn::ScalableTag<float> d;
  constexpr int64_t kLanes = lanes_of<decltype(d)>;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) hn::StoreU(f(d, hn::LoadU(d, values + i)), d, values + i);
  if (i == n) return;
  float rest[kLanes] = {};
  std::copy(values + i, values + n, rest);
  hn::StoreU(f(d, hn::LoadU(d, rest)), d, rest);
  std::copy_n(rest, n - i, values + i);
}

void sigmoids(float* values, int64_t n) {
  apply(values, n, [](auto d, auto v) HWY_ATTR {
    const auto one = hn::Set(d, 1.0f);
    return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(v))));
  });
}

void hyperbolic_tangents(float* values, int64_t n) {
  apply(values, n, [](auto d, auto v) HWY_ATTR { return hn::Tanh(d, v); });
}

void finish(const Finish& f, float* values, int64_t n) {
  const hn::ScalableTag<float> d;
  constexpr int64_t kLanes = lanes_of<decltype(d)>;
  const auto bias = hn::Set(d, f.bias), scale = hn::Set(d, f.scale), threshold = hn::Set(d, f.threshold),
             below = hn::Set(d, f.slope_below), above = hn::Set(d, f.slope_above), top = hn::Set(d, f.clamp_max);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    auto v = hn::Mul(hn::Add(hn::LoadU(d, values + i), bias), scale);
    if (f.relu) v = hn::Mul(hn::IfThenElse(hn::Gt(v, threshold), above, below), v);
    if (f.clamp) v = hn::Min(top, hn::Max(hn::Zero(d), v));
    hn::StoreU(v, d, values + i);
  }
  for (; i < n; ++i) values[i] = finished(f, values[i]);
}

}  // namespace blobsmith::compute::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace blobsmith::compute {

HWY_EXPORT(pack_weights);
HWY_EXPORT(accumulate);
HWY_EXPORT(accumulate_one);
HWY_EXPORT(accumulate_columns);
HWY_EXPORT(every_second);
HWY_EXPORT(separate_three);
HWY_EXPORT(all_finite);
HWY_EXPORT(sigmoids);
HWY_EXPORT(hyperbolic_tangents);
HWY_EXPORT(finish);

PackedRows pack_weights(const void* halves, int64_t k, float* to, int32_t* kept, uint8_t* masks) {
  return HWY_DYNAMIC_DISPATCH(pack_weights)(halves, k, to, kept, masks);
}
void accumulate(const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out, int64_t out_pitch,
                int64_t pixels) {
  HWY_DYNAMIC_DISPATCH(accumulate)(weights, x, offsets, k, out, out_pitch, pixels);
}
void accumulate_one(const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out,
                    int64_t pixels) {
  HWY_DYNAMIC_DISPATCH(accumulate_one)(weights, x, offsets, k, out, pixels);
}
void accumulate_columns(const GroupedWeights& weights, const float* x, const int32_t* offsets, int64_t k,
                        const int32_t* pixel_offsets, int64_t pixels, float* out) {
  HWY_DYNAMIC_DISPATCH(accumulate_columns)(weights, x, offsets, k, pixel_offsets, pixels, out);
}
void every_second(const float* from, int64_t n, float* to) { HWY_DYNAMIC_DISPATCH(every_second)(from, n, to); }
void separate_three(const uint8_t* from, int64_t step, int64_t count, uint16_t* to, int64_t pitch) {
  HWY_DYNAMIC_DISPATCH(separate_three)(from, step, count, to, pitch);
}
bool all_finite(const float* values, int64_t n) { return HWY_DYNAMIC_DISPATCH(all_finite)(values, n); }
void sigmoids(float* values, int64_t n) { HWY_DYNAMIC_DISPATCH(sigmoids)(values, n); }
void hyperbolic_tangents(float* values, int64_t n) { HWY_DYNAMIC_DISPATCH(hyperbolic_tangents)(values, n); }
void finish(const Finish& f, float* values, int64_t n) { HWY_DYNAMIC_DISPATCH(finish)(f, values, n); }

}  // namespace blobsmith::compute
#endif
