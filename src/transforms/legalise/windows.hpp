// The windows of a convolution, with what SAME and VALID stand for.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::legalise_rows {

struct Window {
  std::vector<int64_t> kernel, strides, dilations, before, after, out;  ///< one number for each axis of space
  int64_t places() const;                                               ///< of a kernel
};

/// Of a convolution whose shapes are known; nothing where a kernel has more than 1024 places.
std::optional<Window> window_of(const Node& n, const Shape& kernel);

/// Weights of a transposed convolution in groups, [outputs, places, 1, window], that adds blocks up where they overlap:
/// each place of a window is a channel.
Value ones_that_add(transforms::Rewriter& rw, ElementType type, int64_t outputs, const Shape& window);

}  // namespace blobsmith::legalise_rows
