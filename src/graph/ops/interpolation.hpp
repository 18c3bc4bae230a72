// Interpolate of opset 1 in the words of opset 4.
#pragma once
#include <algorithm>
#include <string_view>

#include "graph/graph.hpp"

namespace blobsmith::ops {

inline constexpr std::string_view kNearestOfOpset1 =
    "simple";  ///< nearest_mode: the pixel below, of a shrinking image the one above

inline bool all_zero(const Attributes& a, std::string_view list) {
  return std::ranges::all_of(a.get_or<std::vector<int64_t>>(list, {}), [](int64_t v) { return v == 0; });
}

/// coordinate_transformation_mode, as OpenVINO converts it: that of align_corners, or plain multiples; but linear modes
/// take the middle of pixels unless a plane or padding is resized.
inline std::string_view coordinates_of_opset1(const Attributes& a, size_t rank) {
  if (a.flag("align_corners", true)) return "align_corners";
  const bool plane = rank == 4 && a.integers("axes") == std::vector<int64_t>{2, 3};
  return a.text("mode") == "linear" && !plane && all_zero(a, "pads_begin") && all_zero(a, "pads_end") ? "half_pixel"
                                                                                                      : "asymmetric";
}

}  // namespace blobsmith::ops
