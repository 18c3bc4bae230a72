// FP16 numbers times a factor, as the reference compiler does it.
#pragma once
#include "core/float16.hpp"

namespace blobsmith::quirks {

/// to[i] = float_to_half(half_to_float(from[i]) * factor). `from` may be unaligned, and must not overlap `to`.
void scaled_halves(const void* from, float factor, std::span<Half> to);

}  // namespace blobsmith::quirks
