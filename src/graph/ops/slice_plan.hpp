// What a StridedSlice cuts out of each axis once masks, negative indices and clipping are resolved.
#pragma once
#include <algorithm>
#include <optional>
#include <string_view>

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

/// Whether number i of a mask is set; those that are left out are not.
bool masked(const Attributes& attrs, std::string_view mask, size_t i);
/// A bound of a slice with a positive step, counted from the front and cut to the axis.
inline int64_t cut_bound(int64_t bound, int64_t size) {
  return std::clamp<int64_t>(bound < 0 ? bound + size : bound, 0, size);
}

/// Where slices begin on axes that are dropped: their first element (last, going backwards) where begin_mask says so.
std::vector<int64_t> begins_as_masked(const Attributes& attrs, std::vector<int64_t> begin,
                                      const std::vector<int64_t>& strides);

/// `attrs` holds the five masks. Nothing when they don't fit the data.
std::optional<SlicePlan> plan_slice(const Attributes& attrs, const Shape& data, const std::vector<int64_t>& begin,
                                    const std::vector<int64_t>& end, const std::vector<int64_t>& strides);

}  // namespace blobsmith::ops
