// The sliding window of convolutions, deconvolutions and poolings, as it stands in the attributes of their stages
// (middle-end spec §3, "attributes of the stub stages").
#pragma once
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

struct Window {
  int64_t kernel_x = 1, kernel_y = 1, stride_x = 1, stride_y = 1;
  int64_t pad_left = 0, pad_right = 0, pad_top = 0, pad_bottom = 0;
  int64_t dilation_x = 1, dilation_y = 1;  ///< 1 for poolings, which have no such attributes

  bool no_pads() const { return !pad_left && !pad_right && !pad_top && !pad_bottom; }
  bool dilated() const { return dilation_x > 1 || dilation_y > 1; }
  bool operator==(const Window&) const = default;
};

Window window_of(const Stage& s);
/// Sets kernelSizeX/Y, kernelStrideX/Y, padLeft/Right/Top/Bottom and, for other stages than poolings, dilationX/Y.
void set_window(Stage& s, const Window& w);

}  // namespace blobsmith::vpu
