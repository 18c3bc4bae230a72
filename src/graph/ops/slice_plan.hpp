// What a StridedSlice cuts out of each axis once masks, negative indices and clipping are resolved.
#pragma once
#include <optional>

#include "graph/graph.hpp"

namespace blobsmith::ops {

struct SliceAxis {
  int64_t begin, step, count;
  bool operator==(const SliceAxis&) const = default;
};

struct SlicePlan {
  std::vector<SliceAxis> axes;  ///< one per axis of the data
  Shape output;                 ///< with new axes inserted and shrunk axes left out
};

/// `attrs` holds the five masks. Nothing when they don't fit the data.
std::optional<SlicePlan> plan_slice(const Attributes& attrs, const Shape& data, const std::vector<int64_t>& begin, const std::vector<int64_t>& end, const std::vector<int64_t>& strides);

}  // namespace blobsmith::ops
