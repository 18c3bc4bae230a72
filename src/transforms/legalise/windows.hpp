// The windows of a convolution, with what SAME and VALID stand for.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::legalise_rows {

struct Window {
  std::vector<int64_t> kernel, strides, dilations, before, after, out;  ///< one number for each axis of space
  int64_t places() const;                                               ///< of a kernel
};

/// Of a convolution whose shapes are known; nothing where a kernel has more than 1024 places.
std::optional<Window> window_of(const Node& n, const Shape& kernel);

}  // namespace blobsmith::legalise_rows
