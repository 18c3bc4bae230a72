// Cutting one axis of a plane into tiles. The engine applies its padding at both ends of every tile, so that outputs
// near a cut are wrong ("junk"): tiles overlap, and the junk is cropped away (hw-tiling spec §5).
#pragma once
#include <cstdint>
#include <vector>

#include "core/window.hpp"

namespace blobsmith::vpu::nce {

int64_t output_size(int64_t in, const AxisWindow& w, bool ceil);
int64_t input_size(int64_t out, const AxisWindow& w);
/// How an output of `out` positions was rounded; neither: it does not belong to this window.
struct Rounding {
  bool floor = false, ceil = false;
};
Rounding rounding_of(int64_t in, int64_t out, const AxisWindow& w);

/// Ranges are half open, in pixels of the whole axis.
struct AxisTile {
  int64_t input_with_junk = 0, output_with_junk = 0;
  int64_t junk_before = 0, junk_after = 0;  ///< outputs to be cropped
  int64_t input_start = 0, input_end = 0;
  int64_t output_start = 0, output_end = 0;  ///< without junk

  int64_t output_length() const { return output_end - output_start; }
  bool has_junk() const { return junk_before != 0 || junk_after != 0; }
  bool operator==(const AxisTile&) const = default;
};
using AxisTiles = std::vector<AxisTile>;

/// Tiles of at most `tile_out` outputs, junk included; one tile when tile_out == out; empty when there is no way.
AxisTiles split_axis(int64_t in, int64_t out, const AxisWindow& w, int64_t tile_out, bool ceil);
/// The same for a 3x3 convolution (pad 1, stride 1) followed by 2x2 pooling (stride 2); tile_out > 2.
AxisTiles split_axis_with_pool(int64_t in, int64_t out, int64_t tile_out);

}  // namespace blobsmith::vpu::nce
