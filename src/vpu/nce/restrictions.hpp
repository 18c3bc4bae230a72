// Which tiles the convolution engine can process at all (hw-tiling spec §6).
#pragma once
#include <cstdint>

#include "vpu/nce/constants.hpp"

namespace blobsmith::vpu::nce {

bool conv_allowed(int64_t w, int64_t h, int64_t in_channels, int64_t out_channels_per_descriptor, int64_t kernel_x,
                  int64_t kernel_y, int64_t stride, HwOpMode mode);
bool pool_allowed(int64_t w, int64_t h, int64_t channels, int64_t kernel_y, int64_t stride);

}  // namespace blobsmith::vpu::nce
