// Input and output plane of a convolution or pooling with its window: what both tiling searches share (hw-tiling spec
// §7, §9).
#pragma once
#include <string>

#include "vpu/format/data_desc.hpp"
#include "vpu/nce/padding.hpp"
#include "vpu/nce/plane_tiling.hpp"

namespace blobsmith::vpu::nce {

struct PlaneGeometry {
  PlaneSize in, out;     ///< of the stage, with a merged pooling
  PlaneSize window_out;  ///< of the window itself; differs from `out` with a merged pooling only
  int64_t kernel_x = 1, kernel_y = 1, stride = 1;
  Padding pad;
  bool with_pool = false;  ///< 2x2 pooling with stride 2 follows

  AxisWindow columns() const { return {kernel_x, stride, pad.left, pad.right}; }
  AxisWindow rows() const { return {kernel_y, stride, pad.top, pad.bottom}; }
};

/// Whether the output was rounded up, per axis. Throws (naming the stage) when it fits neither way of rounding.
struct PlaneRounding {
  bool x = false, y = false;
};
PlaneRounding plane_rounding(const PlaneGeometry& g, const std::string& stage);

/// What a tile of the input can produce, at most `limit`.
PlaneSize tile_output(const PlaneGeometry& g, bool ceil, PlaneSize tile_in, PlaneSize limit);

AxisTiles tile_columns(const PlaneGeometry& g, bool ceil, int64_t tile_out);
AxisTiles tile_rows(const PlaneGeometry& g, bool ceil, int64_t tile_out);

/// The length of the first of `parts` tiles of an axis, on the grid of the stride when there are several.
inline int64_t part_length(int64_t length, int64_t parts, int64_t stride) {
  const int64_t part = ceil_div(length, parts);
  return parts > 1 ? ceil_div(part, stride) * stride : part;
}

}  // namespace blobsmith::vpu::nce
