// Kernel, strides, pads and dilations of a layer as stages want them: X first, pads resolved (front-end spec §6.3).
#pragma once
#include <vector>

#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {

/// One number per spatial axis, innermost (X) first.
struct SpatialWindow {
  std::vector<int64_t> kernel, strides, pads_begin, pads_end, dilations;
  size_t rank() const { return kernel.size(); }
};

enum class PadRule { Convolution, Deconvolution, Pooling };

/// Fails on a stride of 0.
SpatialWindow spatial_window(const LayerContext&, std::vector<int64_t> kernel_outermost_first, PadRule rule);
/// A list as the blob holds it: check_limits has seen the numbers.
std::vector<int32_t> words(const std::vector<int64_t>& list);
/// Of the two innermost axes (a missing Y is 1).
Window as_window(const SpatialWindow& w);
/// A kernel that covers the whole height makes one row: its stride is free, and the hardware has one stride for both
/// axes.
void unify_strides(Window& w, int64_t input_height);

}  // namespace blobsmith::vpu
