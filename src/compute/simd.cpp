#include "compute/simd.hpp"

#include <algorithm>
#include <cstring>

#include "core/float16.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#define BLOBSMITH_AVX2 __attribute__((target("avx2,fma,f16c")))
#endif

namespace blobsmith::compute {
namespace portable {

/// Whether all of a group's weights are zero, of either sign.
bool is_zero_row(const uint8_t* halves) {
  uint64_t bits[2];
  std::memcpy(bits, halves, sizeof bits);
  return ((bits[0] | bits[1]) & 0x7FFF7FFF7FFF7FFFull) == 0;
}

PackedRows pack_weights(const void* halves, int64_t k, float* to, int32_t* kept) {
  const auto* p = static_cast<const uint8_t*>(halves);
  PackedRows n;
  for (int64_t i = 0; i < k; ++i, p += 2 * kGroup) {
    if (is_zero_row(p)) continue;
    halves_to_floats(p, to + n.rows * kGroup, kGroup);
    n.zeros += std::count(to + n.rows * kGroup, to + (n.rows + 1) * kGroup, 0.0f);
    kept[n.rows++] = static_cast<int32_t>(i);
  }
  return n;
}

void accumulate(int rows, const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out, int64_t out_pitch, int64_t pixels) {
  for (int m = 0; m < rows; ++m) {
    float* o = out + m * out_pitch;
    std::fill_n(o, pixels, 0.0f);
    for (int64_t i = 0; i < k; ++i) {
      const float w = weights[i * kGroup + m];
      const float* v = x + offsets[i];
      for (int64_t p = 0; p < pixels; ++p) o[p] += w * v[p];
    }
  }
}

void accumulate_columns(const void* weights, const float* x, const int32_t* offsets, int64_t k, const int32_t* pixel_offsets, int pixels, float* out) {
  const auto* row = static_cast<const uint8_t*>(weights);
  float w[kGroup];
  std::fill_n(out, pixels * kGroup, 0.0f);
  for (int64_t i = 0; i < k; ++i, row += 2 * kGroup) {
    if (is_zero_row(row)) continue;
    halves_to_floats(row, w, kGroup);
    for (int p = 0; p < pixels; ++p) {
      const float v = x[offsets[i] + pixel_offsets[p]];
      for (int m = 0; m < kGroup; ++m) out[p * kGroup + m] += w[m] * v;
    }
  }
}

void finish(const Finish& f, float* values, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    float v = (values[i] + f.bias) * f.scale;
    if (f.relu) v = (v > f.threshold ? f.slope_above : f.slope_below) * v;
    if (f.clamp) v = std::min(std::max(v, 0.0f), f.clamp_max);
    values[i] = v;
  }
}

}  // namespace portable

#if defined(__x86_64__)
namespace avx2 {

bool available() {
  // Every processor with AVX2 has F16C, which clang has no name for here.
  static const bool yes = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return yes;
}

BLOBSMITH_AVX2 PackedRows pack_weights(const void* halves, int64_t k, float* to, int32_t* kept) {
  const auto* p = static_cast<const __m128i*>(halves);
  const __m128i magnitude = _mm_set1_epi16(0x7FFF);
  PackedRows n;
  for (int64_t i = 0; i < k; ++i) {
    const __m128i row = _mm_loadu_si128(p + i);
    const int zeros = _mm_movemask_epi8(_mm_cmpeq_epi16(_mm_and_si128(row, magnitude), _mm_setzero_si128()));  // two bits each
    if (zeros == 0xFFFF) continue;
    _mm256_storeu_ps(to + n.rows * kGroup, _mm256_cvtph_ps(row));
    if (zeros) n.zeros += __builtin_popcount(static_cast<unsigned>(zeros)) / 2;
    kept[n.rows++] = static_cast<int32_t>(i);
  }
  return n;
}

/// M rows x V vectors of 8 pixels, held in registers over the whole sum.
template <int M, int V>
BLOBSMITH_AVX2 inline void tile(const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out, int64_t out_pitch) {
  __m256 sum[M][V];
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sum[m][v] = _mm256_setzero_ps();
  for (int64_t i = 0; i < k; ++i, weights += kGroup) {
    const float* at = x + offsets[i];
    __m256 pixels[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) pixels[v] = _mm256_loadu_ps(at + 8 * v);
#pragma GCC unroll 8
    for (int m = 0; m < M; ++m) {
      const __m256 w = _mm256_broadcast_ss(weights + m);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[m][v] = _mm256_fmadd_ps(w, pixels[v], sum[m][v]);
    }
  }
#pragma GCC unroll 8
  for (int m = 0; m < M; ++m)
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) _mm256_storeu_ps(out + m * out_pitch + 8 * v, sum[m][v]);
}

BLOBSMITH_AVX2 void accumulate(int rows, const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out, int64_t out_pitch, int64_t pixels) {
  int64_t p = 0;
  if (rows == 1) {
    for (; p + 32 < pixels; p += 64) {
      tile<1, 4>(weights, x + p, offsets, k, out + p, out_pitch);
      tile<1, 4>(weights, x + p + 32, offsets, k, out + p + 32, out_pitch);
    }
    for (; p + 8 < pixels; p += 32) tile<1, 4>(weights, x + p, offsets, k, out + p, out_pitch);
    for (; p < pixels; p += 8) tile<1, 1>(weights, x + p, offsets, k, out + p, out_pitch);
    return;
  }
  for (; p + 16 < pixels; p += 24) {
    tile<4, 3>(weights, x + p, offsets, k, out + p, out_pitch);
    tile<4, 3>(weights + 4, x + p, offsets, k, out + p + 4 * out_pitch, out_pitch);
  }
  for (; p + 8 < pixels; p += 16) {
    tile<4, 2>(weights, x + p, offsets, k, out + p, out_pitch);
    tile<4, 2>(weights + 4, x + p, offsets, k, out + p + 4 * out_pitch, out_pitch);
  }
  if (p < pixels) tile<8, 1>(weights, x + p, offsets, k, out + p, out_pitch);
}

/// P pixels with S partial sums each, so that additions need not wait for each other.
template <int P, int S>
BLOBSMITH_AVX2 inline void columns(const __m128i* weights, const float* x, const int32_t* offsets, int64_t k, const int32_t* pixel_offsets, float* out) {
  const __m128i magnitude = _mm_set1_epi16(0x7FFF);
  __m256 sum[S][P];
#pragma GCC unroll 8
  for (int s = 0; s < S; ++s)
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) sum[s][p] = _mm256_setzero_ps();
  const auto add = [&](int s, int64_t i) BLOBSMITH_AVX2 {
    const __m128i row = _mm_loadu_si128(weights + i);
    if (_mm_testz_si128(row, magnitude)) return;
    const __m256 w = _mm256_cvtph_ps(row);
    const float* at = x + offsets[i];
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) sum[s][p] = _mm256_fmadd_ps(w, _mm256_broadcast_ss(at + pixel_offsets[p]), sum[s][p]);
  };
  int64_t i = 0;
  for (; i + S <= k; i += S)
#pragma GCC unroll 8
    for (int s = 0; s < S; ++s) add(s, i + s);
  for (; i < k; ++i) add(0, i);
#pragma GCC unroll 8
  for (int p = 0; p < P; ++p) {
#pragma GCC unroll 8
    for (int s = 1; s < S; ++s) sum[0][p] = _mm256_add_ps(sum[0][p], sum[s][p]);
    _mm256_storeu_ps(out + p * kGroup, sum[0][p]);
  }
}

BLOBSMITH_AVX2 void accumulate_columns(const void* weights, const float* x, const int32_t* offsets, int64_t k, const int32_t* pixel_offsets, int pixels, float* out) {
  const auto* w = static_cast<const __m128i*>(weights);
  int p = 0;
  for (; p + 4 <= pixels; p += 4) columns<4, 2>(w, x, offsets, k, pixel_offsets + p, out + p * kGroup);
  for (; p < pixels; ++p) columns<1, 4>(w, x, offsets, k, pixel_offsets + p, out + p * kGroup);
}

BLOBSMITH_AVX2 void finish(const Finish& f, float* values, int64_t n) {
  const __m256 bias = _mm256_set1_ps(f.bias), scale = _mm256_set1_ps(f.scale), threshold = _mm256_set1_ps(f.threshold);
  const __m256 below = _mm256_set1_ps(f.slope_below), above = _mm256_set1_ps(f.slope_above), top = _mm256_set1_ps(f.clamp_max), zero = _mm256_setzero_ps();
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    __m256 v = _mm256_mul_ps(_mm256_add_ps(_mm256_loadu_ps(values + i), bias), scale);
    if (f.relu) v = _mm256_mul_ps(_mm256_blendv_ps(below, above, _mm256_cmp_ps(v, threshold, _CMP_GT_OQ)), v);
    if (f.clamp) v = _mm256_min_ps(top, _mm256_max_ps(zero, v));
    _mm256_storeu_ps(values + i, v);
  }
  portable::finish(f, values + i, n - i);
}

}  // namespace avx2
#define BLOBSMITH_CHOOSE(call) return avx2::available() ? avx2::call : portable::call
#else
#define BLOBSMITH_CHOOSE(call) return portable::call
#endif

PackedRows pack_weights(const void* halves, int64_t k, float* to, int32_t* kept) { BLOBSMITH_CHOOSE(pack_weights(halves, k, to, kept)); }
void accumulate(int rows, const float* weights, const float* x, const int32_t* offsets, int64_t k, float* out, int64_t out_pitch, int64_t pixels) {
  BLOBSMITH_CHOOSE(accumulate(rows, weights, x, offsets, k, out, out_pitch, pixels));
}
void accumulate_columns(const void* weights, const float* x, const int32_t* offsets, int64_t k, const int32_t* pixel_offsets, int pixels, float* out) {
  BLOBSMITH_CHOOSE(accumulate_columns(weights, x, offsets, k, pixel_offsets, pixels, out));
}
void finish(const Finish& f, float* values, int64_t n) { BLOBSMITH_CHOOSE(finish(f, values, n)); }

}  // namespace blobsmith::compute
