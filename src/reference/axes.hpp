// Spatial axes of windows: one to three of them, filled up with others in front.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace blobsmith::reference {

using Axes = std::array<int64_t, 3>;

inline Axes filled_up(std::span<const int64_t> list, int64_t with) {
  Axes a;
  a.fill(with);
  std::copy(list.begin(), list.end(), a.end() - static_cast<ptrdiff_t>(list.size()));
  return a;
}

}  // namespace blobsmith::reference
