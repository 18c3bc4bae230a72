// quirk: fixed tilings of a few convolutions of well-known networks, which override the search (hw-tiling spec §7.4).
#pragma once
#include "vpu/nce/conv_tiling_search.hpp"

namespace blobsmith::vpu::nce {

/// Input size of the first tile.
struct TileShape {
  int64_t w = 0, h = 0, channels = 0;
};

struct ConvPattern {
  enum class Window { Any, NoPool, Square };  ///< Square: no pool, and kernel, pad and stride as below on all sides
  Window window = Window::Any;
  int64_t kernel = 0, pad = 0, stride = 0;
  int64_t in_channels = 0, in_size = 0;              ///< the plane is square
  int64_t out_channels = 0, other_out_channels = 0;  ///< 0: any
  int64_t out_height = 0;                            ///< 0: any
  TileShape tile;                                    ///< 0: as the search found
  bool restarts_from_whole_output = true;

  bool matches(const ConvGeometry& g) const;
  TileShape applied_to(TileShape found) const;
};

/// The first pattern that fits; none on small machines.
const ConvPattern* find_conv_pattern(const ConvGeometry& g, int slices);

}  // namespace blobsmith::vpu::nce
