#include "core/float16.hpp"

#include <bit>

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace blobsmith {

float half_to_float(Half h) {
  const uint32_t sign = uint32_t(h & 0x8000u) << 16, exponent = (h >> 10) & 31, mantissa = h & 0x3FFu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | (mantissa ? 0x400000u | (mantissa << 13) : 0u));
  if (exponent) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float f = static_cast<float>(mantissa) * 0x1p-24f;
  return sign ? -f : f;
}

Half float_to_half(float f) {
  const uint32_t bits = std::bit_cast<uint32_t>(f), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  if (magnitude >= 0x7F800000u) return static_cast<Half>(sign | 0x7C00u | (magnitude > 0x7F800000u ? 0x200u | ((magnitude >> 13) & 0x3FFu) : 0u));
  if (magnitude >= 0x477FF000u) return static_cast<Half>(sign | 0x7C00u);  // rounds to 65536 or more
  if (magnitude < 0x38800000u) {                                          // below 2^-14: add a number whose last place is 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<Half>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3F000000u));
  }
  const uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<Half>(sign | ((magnitude - (112u << 23) + 0xFFFu + odd) >> 13));
}

void half_to_float(std::span<const Half> in, std::span<float> out) {
  size_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= in.size(); i += 8)
    _mm256_storeu_ps(out.data() + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in.data() + i))));
#endif
  for (; i < in.size(); ++i) out[i] = half_to_float(in[i]);
}

void float_to_half(std::span<const float> in, std::span<Half> out) {
  size_t i = 0;
#if defined(__F16C__)
  for (; i + 8 <= in.size(); i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out.data() + i), _mm256_cvtps_ph(_mm256_loadu_ps(in.data() + i), _MM_FROUND_TO_NEAREST_INT));
#endif
  for (; i < in.size(); ++i) out[i] = float_to_half(in[i]);
}

namespace quirks {

Half float_to_half(float f) {
  const uint32_t bits = std::bit_cast<uint32_t>(f), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return static_cast<Half>(sign | (magnitude >> 13) | 0x200u);
  if (magnitude == 0x7F800000u) return static_cast<Half>(sign | 0x7C00u);
  // Half a unit of the FP16 grid is added, then the rest is cut off.
  const uint32_t exponent = magnitude & 0x7F800000u;
  const float half_unit = exponent > (11u << 23) ? std::bit_cast<float>(exponent - (11u << 23)) : 0.0f;
  const float v = std::bit_cast<float>(magnitude) + half_unit;
  if (v < 0x1p-15f) return static_cast<Half>(sign);
  if (v < 0x1p-14f) return static_cast<Half>(sign | 0x0400u);
  if (v >= 65504.0f) return static_cast<Half>(sign | 0x7BFFu);
  return static_cast<Half>(sign | ((std::bit_cast<uint32_t>(v) - (112u << 23)) >> 13));
}

void float_to_half_blob(std::span<const float> in, std::span<Half> out) {
  for (size_t i = 0; i < in.size(); ++i) out[i] = float_to_half(in[i] * 1.0f + 0.0f);
}

}  // namespace quirks
}  // namespace blobsmith
