// Limits and costs of the convolution engine (hw-tiling spec §1).
#pragma once
#include <array>
#include <cstdint>

#include "vpu/format/data_desc.hpp"
#include "vpu/format/hw_op.hpp"

namespace blobsmith::vpu::nce {

inline constexpr int64_t kLocalMemoryBytes = 131072;   ///< data RAM of the engine
inline constexpr int64_t kMaxTilePlane = 4096;         ///< width or height of a tile
inline constexpr int64_t kMaxTileChannels = 2048;      ///< input channels; output channels per descriptor
inline constexpr int64_t kMaxSearchedTileSize = 2048;  ///< the search offers no longer tile along any axis
inline constexpr int64_t kMaxCoefficientsPerBlock = 256;
inline constexpr int64_t kOutputChannelGroup = 8;  ///< output channels are interleaved in groups of eight
inline constexpr int64_t kPoolChannelsPerDescriptor = 16;
inline constexpr int64_t kPixelBytes = 2;  ///< FP16; the engine's U8 forms are never used
inline constexpr int64_t kMaxTilesPerAxis = 15;

/// Mode m: 2^m input channels in parallel, 256 / 2^m output channels per descriptor.
inline constexpr std::array kModes = {HwOpMode::k1x256, HwOpMode::k2x128, HwOpMode::k4x64, HwOpMode::k8x32,
                                      HwOpMode::k16x16};
inline constexpr HwOpMode kPoolMode = HwOpMode::k16x16;

constexpr int64_t input_lanes(HwOpMode m) { return int64_t{1} << static_cast<int>(m); }
constexpr int64_t output_channels(HwOpMode m) { return 256 >> static_cast<int>(m); }
/// Cycles charged per descriptor besides the multiplications.
constexpr int64_t fixed_cost(HwOpMode m) {
  constexpr std::array<int64_t, 5> kCosts = {0, 5, 11, 19, 31};
  return kCosts[static_cast<size_t>(m)];
}

/// Bytes from one row to the next in a hardware buffer.
constexpr int64_t row_bytes(int64_t width) { return align_up(width * kPixelBytes, kStrideAlignment); }
/// Size of a hardware buffer: rows aligned, planes compact.
constexpr int64_t buffer_bytes(int64_t w, int64_t h, int64_t c, int64_t n = 1) { return row_bytes(w) * h * c * n; }
/// True when a tile that begins at this column does not begin at an address that the engine can use.
constexpr bool is_misaligned(int64_t column) { return column * kPixelBytes % kStrideAlignment != 0; }

}  // namespace blobsmith::vpu::nce
