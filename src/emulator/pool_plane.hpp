// The pooling that hardware and software stages share.
#pragma once
#include <algorithm>

#include "emulator/shifted_planes.hpp"

namespace blobsmith::emulator {

/// One axis of a window: what it covers of [low, high).
struct Span {
  int64_t begin, end;
  int64_t length() const { return std::max<int64_t>(end - begin, 0); }
};
inline Span cut(int64_t first, int64_t kernel, int64_t low, int64_t high) { return {std::max(first, low), std::min(first + kernel, high)}; }

/// One plane -> the maxima of its windows, or their sums. What lies outside of the plane does not count.
void pool_plane(bool max, const Window& w, const float* in, int64_t height, int64_t width, float* out, int64_t out_height, int64_t out_width);

}  // namespace blobsmith::emulator
