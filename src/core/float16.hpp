// FP16 conversions. Two roundings exist side by side and must not be mixed up: IEEE nearest-even (graph arithmetic,
// emulator) and the reference compiler's own (every constant that it converts; docs/quirks.md).
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace blobsmith {

using Half = uint16_t;  ///< the bits of an IEEE binary16 number

/// Exact, denormals included.
float half_to_float(Half h);
/// IEEE: to nearest, ties to even, denormals kept, overflow to infinity.
Half float_to_half(float f);

/// The same for n numbers, which must not overlap; the halves may be unaligned.
void halves_to_floats(const void* from, float* to, size_t n);
void floats_to_halves(const float* from, void* to, size_t n);

namespace quirks {
/// The reference compiler's conversion of one value: ties away from zero, nothing below 2^-15, 2^-14 as the smallest
/// number, saturation at 65504 (front-end §6.4).
Half float_to_half(float f);
void floats_to_halves(std::span<const float> in, std::span<Half> out);
/// The same for a whole blob of an IR, where x*1+0 comes first, so that -0 becomes +0.
void float_to_half_blob(std::span<const float> in, std::span<Half> out);
}  // namespace quirks

}  // namespace blobsmith
