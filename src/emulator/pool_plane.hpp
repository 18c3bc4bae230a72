// The pooling that hardware and software stages share.
#pragma once
#include <algorithm>
#include <functional>
#include <span>

#include "emulator/shifted_planes.hpp"

namespace blobsmith::emulator {

/// One axis of a window: what it covers of [low, high).
struct Span {
  int64_t begin, end;
  int64_t length() const { return std::max<int64_t>(end - begin, 0); }
};
inline Span cut(int64_t first, int64_t kernel, int64_t low, int64_t high) {
  return {std::max(first, low), std::min(first + kernel, high)};
}

/// What becomes of results, maxima of windows or their sums, before they are stored: of a row, from a column on.
using PooledRow = std::function<void(int64_t row, int64_t column, std::span<float> values)>;
/// One plane to another, both H, W. What lies outside of the plane does not count.
void pool_plane(bool max, const Window& w, const Grid& in, const Grid& out, const PooledRow& finish);

}  // namespace blobsmith::emulator
