// How a pooling is cut into tiles that the engine can process, at the least cost (hw-tiling spec §9).
#pragma once
#include <optional>
#include <string>

#include "vpu/nce/conv_tiling_search.hpp"

namespace blobsmith::vpu::nce {

struct PoolGeometry {
  PlaneGeometry plane;
  int64_t channels = 0, batch = 1;
};

struct PoolTiling {
  AxisTiles rows, columns;
  int64_t batch_tiles = 1, tile_batch = 1;
};

/// None when the engine can't do it. Throws when the sizes contradict each other.
std::optional<PoolTiling> tile_pooling(const PoolGeometry& g, const TilingLimits& limits, const std::string& stage);

}  // namespace blobsmith::vpu::nce
