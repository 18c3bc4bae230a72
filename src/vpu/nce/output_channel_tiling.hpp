// The mode and the descriptors of one convolution tile: its output channels are cut into groups that one descriptor
// each computes (hw-tiling spec §6).
#pragma once
#include <cstdint>
#include <optional>

#include "vpu/nce/constants.hpp"
#include "vpu/nce/plane_geometry.hpp"

namespace blobsmith::vpu::nce {

struct OutputChannelTiling {
  HwOpMode mode = HwOpMode::k1x256;
  int64_t descriptors = 0;
  int64_t channels_per_descriptor = 0, last_channels = 0;
  int64_t extended_in_channels = 0;   ///< rounded up to the lanes of the mode
  int64_t extended_out_channels = 0;  ///< rounded up to groups of eight
  int64_t cost = 0;                   ///< cycles per output position
  bool operator==(const OutputChannelTiling&) const = default;
};

/// The cheapest mode for a tile of w x h; none when no mode can process it.
std::optional<OutputChannelTiling> split_output_channels(int64_t w, int64_t h, int64_t in_channels,
                                                         int64_t out_channels, int64_t kernel_x, int64_t kernel_y,
                                                         int64_t stride);

/// Channels per tile for a depthwise convolution done as dense blocks: the cheapest, `channels` when nothing fits
/// (§4.5).
int64_t best_depthwise_tile(int64_t w, int64_t h, int64_t channels, int64_t kernel_x, int64_t kernel_y, int64_t stride);

/// The same by the time that a tile is modelled to take (`estimate`), where that is clearly below the time of `usual`.
int64_t fastest_depthwise_tile(const PlaneGeometry& g, int64_t channels, int64_t usual);

}  // namespace blobsmith::vpu::nce
