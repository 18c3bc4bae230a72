#include "core/float16.hpp"

#include <algorithm>
#include <array>
#include <bit>

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
  if (magnitude >= 0x7F800000u)
    return static_cast<Half>(sign | 0x7C00u | (magnitude > 0x7F800000u ? 0x200u | ((magnitude >> 13) & 0x3FFu) : 0u));
  if (magnitude >= 0x477FF000u) return static_cast<Half>(sign | 0x7C00u);  // rounds to 65536 or more
  if (magnitude < 0x38800000u) {  // below 2^-14: add a number whose last place is 2^-24
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<Half>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3F000000u));
  }
  const uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<Half>(sign | ((magnitude - (112u << 23) + 0xFFFu + odd) >> 13));
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
  std::array<float, 1024> sums;
  for (size_t i = 0; i < in.size(); i += sums.size()) {
    const size_t n = std::min(sums.size(), in.size() - i);
    std::transform(in.data() + i, in.data() + i + n, sums.begin(), [](float f) { return f + 0.0f; });
    floats_to_halves(std::span(sums).first(n), out.subspan(i, n));
  }
}

}  // namespace quirks
}  // namespace blobsmith
