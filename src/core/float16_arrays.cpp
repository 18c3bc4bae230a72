// Whole arrays of halves; vector instructions are chosen at run time.
#include <algorithm>
#include <bit>
#include <cstring>

#include "core/float16.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#define BLOBSMITH_TARGET(t) __attribute__((target(t)))
#endif

namespace blobsmith {
namespace {

void convert(const uint8_t* from, float* to, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    Half h;
    std::memcpy(&h, from + sizeof h * i, sizeof h);
    to[i] = half_to_float(h);
  }
}

void convert(const float* from, uint8_t* to, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const Half h = float_to_half(from[i]);
    std::memcpy(to + sizeof h * i, &h, sizeof h);
  }
}

void convert_quirkily(const float* from, Half* to, size_t n) {
  for (size_t i = 0; i < n; ++i) to[i] = quirks::float_to_half(from[i]);
}

#if defined(__x86_64__)
constexpr size_t kLanes = 8;

bool has_avx2() {
  static const bool yes = __builtin_cpu_supports("avx2");  // with it comes F16C, which clang has no name for here
  return yes;
}

BLOBSMITH_TARGET("avx2,f16c") size_t convert_avx2(const uint8_t* from, float* to, size_t n) {
  if (n < kLanes) {
    Half halves[kLanes] = {};
    float floats[kLanes];
    std::memcpy(halves, from, n * sizeof(Half));
    _mm256_storeu_ps(floats, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves))));
    std::copy_n(floats, n, to);
    return n;
  }
  const auto step = [&](size_t i) BLOBSMITH_TARGET("avx2,f16c") { _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + sizeof(Half) * i)))); };
  for (size_t i = 0; i + kLanes <= n; i += kLanes) step(i);
  step(n - kLanes);  // the last eight once more
  return n;
}

BLOBSMITH_TARGET("avx2,f16c") size_t convert_avx2(const float* from, uint8_t* to, size_t n) {
  if (n < kLanes) {
    float floats[kLanes] = {};
    Half halves[kLanes];
    std::copy_n(from, n, floats);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(halves), _mm256_cvtps_ph(_mm256_loadu_ps(floats), _MM_FROUND_TO_NEAREST_INT));
    std::memcpy(to, halves, n * sizeof(Half));
    return n;
  }
  const auto step = [&](size_t i) BLOBSMITH_TARGET("avx2,f16c") { _mm_storeu_si128(reinterpret_cast<__m128i*>(to + sizeof(Half) * i), _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT)); };
  for (size_t i = 0; i + kLanes <= n; i += kLanes) step(i);
  step(n - kLanes);
  return n;
}

/// Stops before the first eight that hold a NaN or an infinity.
BLOBSMITH_TARGET("avx2") size_t convert_quirkily_avx2(const float* from, Half* to, size_t n) {
  const __m256i infinity = _mm256_set1_epi32(0x7F800000), top = _mm256_set1_epi32(std::bit_cast<int32_t>(65504.0f)), magnitude = _mm256_set1_epi32(0x7FFFFFFF);
  const __m256i half_unit = _mm256_set1_epi32(11 << 23), bias = _mm256_set1_epi32(112 << 23), smallest = _mm256_set1_epi32(std::bit_cast<int32_t>(0x1p-14f)), least = _mm256_set1_epi32(std::bit_cast<int32_t>(0x1p-15f));
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + i)), positive = _mm256_and_si256(bits, magnitude);
    if (_mm256_movemask_epi8(_mm256_cmpgt_epi32(infinity, positive)) != -1) break;
    const __m256i unit = _mm256_max_epi32(_mm256_sub_epi32(_mm256_and_si256(positive, infinity), half_unit), _mm256_setzero_si256());
    const __m256i sum = _mm256_castps_si256(_mm256_add_ps(_mm256_castsi256_ps(positive), _mm256_castsi256_ps(unit)));
    // As integers, positive floats keep their order.
    const __m256i limited = _mm256_min_epi32(_mm256_max_epi32(sum, smallest), top);
    const __m256i value = _mm256_andnot_si256(_mm256_cmpgt_epi32(least, sum), _mm256_srli_epi32(_mm256_sub_epi32(limited, bias), 13));
    const __m256i halves = _mm256_or_si256(value, _mm256_srli_epi32(_mm256_andnot_si256(magnitude, bits), 16));
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(halves, halves), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), _mm256_castsi256_si128(packed));
  }
  return i;
}
#else
bool has_avx2() { return false; }
size_t convert_avx2(const uint8_t*, float*, size_t) { return 0; }
size_t convert_avx2(const float*, uint8_t*, size_t) { return 0; }
size_t convert_quirkily_avx2(const float*, Half*, size_t) { return 0; }
#endif

}  // namespace

void halves_to_floats(const void* from, float* to, size_t n) {
  const auto* p = static_cast<const uint8_t*>(from);
  const size_t done = has_avx2() ? convert_avx2(p, to, n) : 0;
  convert(p + sizeof(Half) * done, to + done, n - done);
}

void floats_to_halves(const float* from, void* to, size_t n) {
  auto* p = static_cast<uint8_t*>(to);
  const size_t done = has_avx2() ? convert_avx2(from, p, n) : 0;
  convert(from + done, p + sizeof(Half) * done, n - done);
}

void quirks::floats_to_halves(std::span<const float> in, std::span<Half> out) {
  size_t i = 0;
  while (i < in.size()) {
    if (has_avx2()) i += convert_quirkily_avx2(in.data() + i, out.data() + i, in.size() - i);
    const size_t rest = std::min<size_t>(8, in.size() - i);
    convert_quirkily(in.data() + i, out.data() + i, rest);
    i += rest;
  }
}

}  // namespace blobsmith
