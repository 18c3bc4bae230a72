// The pooling that hardware and software stages share.
#pragma once
#include "emulator/shifted_planes.hpp"

namespace blobsmith::emulator {

/// One plane -> the maxima of its windows, or their sums. What lies outside of the plane does not count.
void pool_plane(bool max, const Window& w, const float* in, int64_t height, int64_t width, float* out, int64_t out_height, int64_t out_width);

}  // namespace blobsmith::emulator
