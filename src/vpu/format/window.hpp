// The sliding window of convolutions, deconvolutions and poolings: output x reads the input at
// x * stride_x - pad_left + kx * dilation_x. The compiler and the emulator share it.
#pragma once
#include <cstdint>

namespace blobsmith::vpu {

struct Window {
  int64_t kernel_x = 1, kernel_y = 1, stride_x = 1, stride_y = 1;
  int64_t pad_left = 0, pad_right = 0, pad_top = 0, pad_bottom = 0;
  int64_t dilation_x = 1, dilation_y = 1;  ///< 1 for poolings, which have no such attributes

  int64_t area() const { return kernel_x * kernel_y; }
  bool no_pads() const { return !pad_left && !pad_right && !pad_top && !pad_bottom; }
  bool dilated() const { return dilation_x > 1 || dilation_y > 1; }
  bool operator==(const Window&) const = default;
};

}  // namespace blobsmith::vpu
