// Choice of the mode of a convolution tile (hw-tiling spec §6, §4.5).
#include "vpu/nce/output_channel_tiling.hpp"

#include <algorithm>

#include "vpu/nce/restrictions.hpp"

namespace blobsmith::vpu::nce {

std::optional<OutputChannelTiling> split_output_channels(int64_t w, int64_t h, int64_t in_channels,
                                                         int64_t out_channels, int64_t kernel_x, int64_t kernel_y,
                                                         int64_t stride) {
  std::optional<OutputChannelTiling> best;
  const int64_t extended_out = align_up(out_channels, kOutputChannelGroup);
  for (const HwOpMode mode : kModes) {
    const int64_t per_descriptor = std::min(output_channels(mode), extended_out);
    if (!conv_allowed(w, h, in_channels, per_descriptor, kernel_x, kernel_y, stride, mode)) continue;
    const int64_t lanes = input_lanes(mode);
    const int64_t extended_in = align_up(in_channels, lanes);
    const int64_t descriptors = ceil_div(out_channels, per_descriptor);
    const int64_t cost = descriptors * (extended_in / lanes * kernel_x * kernel_y + fixed_cost(mode));
    if (best && (cost > best->cost || (cost == best->cost && descriptors >= best->descriptors))) continue;
    best = OutputChannelTiling{
        mode,         descriptors, per_descriptor, out_channels - (descriptors - 1) * per_descriptor, extended_in,
        extended_out, cost};
  }
  return best;
}

namespace {

// As `estimate` has them (cost-model spec §2, §3); microseconds.
constexpr double kStageTime = 4.19, kDescriptorTime = 0.717, kCyclesPerUs = 700, kModeOverhead = 2.02,
                 kWeightBytesPerUs = 5697;

/// Of all tiles of a depthwise convolution; none where the engine can't take such tiles whole.
std::optional<double> depthwise_time(const PlaneGeometry& g, int64_t channels, int64_t tile) {
  constexpr int64_t kMostOutput = 458752;  ///< bytes that a tile may write
  const auto t = split_output_channels(g.in.w, g.in.h, tile, tile, g.kernel_x, g.kernel_y, g.stride);
  const int64_t positions = g.window_out.w * g.window_out.h, taps = g.kernel_x * g.kernel_y;
  if (!t || align_up(g.window_out.w, kOutputChannelGroup) * g.window_out.h * tile * 2 > kMostOutput) return {};
  const auto descriptors = static_cast<double>(t->descriptors);
  const double cycles = static_cast<double>(t->extended_in_channels / input_lanes(t->mode) * taps) +
                        kModeOverhead * static_cast<double>(fixed_cost(t->mode));
  const double nce = descriptors * static_cast<double>(positions) * cycles / kCyclesPerUs;
  const double weights =
      2 * static_cast<double>(t->extended_in_channels * taps * t->extended_out_channels) / kWeightBytesPerUs;
  return static_cast<double>(ceil_div(channels, tile)) *
         (kStageTime + kDescriptorTime * descriptors + std::max(nce, weights));
}

}  // namespace

int64_t best_depthwise_tile(int64_t w, int64_t h, int64_t channels, int64_t kernel_x, int64_t kernel_y,
                            int64_t stride) {
  int64_t best_tile = channels, best_cost = 0;
  bool found = false;
  // No mode takes more input channels than the last one's coefficients allow: larger tiles need not be tried.
  const int64_t most = kMaxCoefficientsPerBlock / (kernel_x * kernel_y) * input_lanes(kModes.back());
  for (int64_t tile = 1; tile < channels && tile <= most; ++tile) {
    const auto tiling = split_output_channels(w, h, tile, tile, kernel_x, kernel_y, stride);
    if (!tiling) continue;
    const int64_t cost = tiling->cost * ceil_div(channels, tile);
    if (found && cost >= best_cost) continue;
    found = true;
    best_cost = cost;
    best_tile = tile;
  }
  return best_tile;
}

int64_t fastest_depthwise_tile(const PlaneGeometry& g, int64_t channels, int64_t usual) {
  constexpr double kClearly = 0.9;  ///< unless half as many tiles do
  constexpr int64_t kMostChannels = 256;
  const auto of_usual = depthwise_time(g, channels, usual);
  if (!of_usual) return usual;
  double least = *of_usual;
  int64_t best = usual;
  for (int64_t tile = kOutputChannelGroup; tile <= std::min(channels, kMostChannels); tile += kOutputChannelGroup) {
    const auto time = depthwise_time(g, channels, tile);
    if (!time || *time >= least || (tile < usual * 2 && *time > *of_usual * kClearly)) continue;
    least = *time;
    best = tile;
  }
  return best;
}

}  // namespace blobsmith::vpu::nce
