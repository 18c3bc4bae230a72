// Which tiles the convolution engine can process at all (hw-tiling spec §6).
#include "vpu/nce/restrictions.hpp"

#include <algorithm>

namespace blobsmith::vpu::nce {
namespace {

bool within_limits(int64_t w, int64_t h, int64_t in_channels, int64_t out_channels) {
  return w > 0 && h > 0 && in_channels > 0 && w <= kMaxTilePlane && h <= kMaxTilePlane &&
         in_channels <= kMaxTileChannels && out_channels <= kMaxTileChannels;
}

/// The local memory must hold enough rows of all channels for the window to move on.
bool enough_lines(int64_t w, int64_t h, int64_t channels, int64_t kernel_y, int64_t stride) {
  const int64_t lines = std::min(kLocalMemoryBytes / (channels * row_bytes(w)), h);
  const int64_t narrow = w <= 8 ? 1 : 0;
  return std::min(kernel_y + stride + 2 + narrow, h) <= lines;
}

}  // namespace

bool conv_allowed(int64_t w, int64_t h, int64_t in_channels, int64_t out_channels_per_descriptor, int64_t kernel_x,
                  int64_t kernel_y, int64_t stride, HwOpMode mode) {
  constexpr int64_t kWidestLowPlane = 507, kLowPlane = 64, kImageChannels = 3;
  if (!within_limits(w, h, in_channels, out_channels_per_descriptor)) return false;
  if (w > kWidestLowPlane && h > 1 && h < kLowPlane && in_channels != kImageChannels) return false;
  const int64_t blocks = ceil_div(in_channels, input_lanes(mode));
  if (blocks * kernel_x * kernel_y > kMaxCoefficientsPerBlock) return false;
  return enough_lines(w, h, blocks * input_lanes(mode), kernel_y, stride);
}

bool pool_allowed(int64_t w, int64_t h, int64_t channels, int64_t kernel_y, int64_t stride) {
  if (!within_limits(w, h, channels, channels)) return false;
  if (std::min(kLocalMemoryBytes / input_lanes(kPoolMode) / row_bytes(w), h) < kernel_y) return false;
  return enough_lines(w, h, input_lanes(kPoolMode), kernel_y, stride);
}

}  // namespace blobsmith::vpu::nce
