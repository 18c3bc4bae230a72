// How a convolution is cut into tiles that the engine can process, at the least cost (hw-tiling spec §7).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vpu/nce/output_channel_tiling.hpp"
#include "vpu/nce/plane_geometry.hpp"

namespace blobsmith::vpu::nce {

struct ConvGeometry {
  PlaneGeometry plane;
  int64_t in_channels = 0, out_channels = 0;
};

/// The machine that a tiling is made for.
struct TilingLimits {
  int slices = 0;
  int64_t cmx_bytes = 0;  ///< largest output tile
};

struct ConvTiling {
  AxisTiles rows, columns;
  int64_t channel_tiles = 1, tile_channels = 0;  ///< of the input; the last tile is as wide as the others
  std::vector<OutputChannelTiling> modes;        ///< per plane tile, row by row

  size_t plane_tiles() const { return rows.size() * columns.size(); }
  const OutputChannelTiling& mode(size_t row, size_t column) const { return modes[row * columns.size() + column]; }
};

/// None when the engine can't do it. Throws when the sizes contradict each other.
std::optional<ConvTiling> tile_convolution(const ConvGeometry& g, const TilingLimits& limits, const std::string& stage);

}  // namespace blobsmith::vpu::nce
