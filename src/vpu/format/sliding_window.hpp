// The window that software convolutions and pools slide over their input (stages spec §6).
#pragma once
#include "vpu/format/stage_format.hpp"
#include "vpu/format/window.hpp"

namespace blobsmith::vpu {

/// Pads on the right and at the bottom follow from the sizes.
struct SlidingWindowParams : StageParams {
  uint32_t kernel_x = 1, kernel_y = 1, stride_x = 1, stride_y = 1, pad_left = 0, pad_top = 0;

  void fields(FieldArchive& a) override {
    a.word("kernelX", kernel_x);
    a.word("kernelY", kernel_y);
    a.word("strideX", stride_x);
    a.word("strideY", stride_y);
    a.word("padLeft", pad_left);
    a.word("padTop", pad_top);
  }
  Window window() const {
    Window w{.kernel_x = kernel_x, .kernel_y = kernel_y, .stride_x = stride_x, .stride_y = stride_y};
    w.pad_left = pad_left;
    w.pad_top = pad_top;
    return w;
  }
  void set_window(const Window& w) {
    kernel_x = static_cast<uint32_t>(w.kernel_x);
    kernel_y = static_cast<uint32_t>(w.kernel_y);
    stride_x = static_cast<uint32_t>(w.stride_x);
    stride_y = static_cast<uint32_t>(w.stride_y);
    pad_left = static_cast<uint32_t>(w.pad_left);
    pad_top = static_cast<uint32_t>(w.pad_top);
  }
};

}  // namespace blobsmith::vpu
