// Kernel, strides, pads and dilations of a layer as stages want them: X first, pads resolved (front-end spec §6.3).
#pragma once
#include <vector>

#include "core/window.hpp"
#include "vpu/lowering/parsers/layer.hpp"

namespace blobsmith::vpu {

enum class PadRule { Convolution, Deconvolution, Pooling };

/// Innermost axis (X) first. Fails on a stride of 0.
Windows spatial_windows(const LayerContext&, std::vector<int64_t> kernel_outermost_first, PadRule rule);
/// One number of every axis, as the blob holds it.
std::vector<int32_t> words(const Windows& w, int64_t AxisWindow::* member);
/// Of the two innermost axes (a missing Y is 1).
Window as_window(const Windows& w);
/// A kernel that covers the whole height makes one row: its stride is free, and the hardware has one stride for both
/// axes.
void unify_strides(Window& w, int64_t input_height);

}  // namespace blobsmith::vpu
