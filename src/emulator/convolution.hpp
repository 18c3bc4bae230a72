// The convolution that hardware and software stages share: sums of shifted image rows, in FP32.
#pragma once
#include <cstdint>
#include <functional>
#include <span>

#include "core/float16.hpp"
#include "emulator/planes_cache.hpp"

namespace blobsmith::emulator {

using compute::Finish;
using compute::kGroup;

/// What a convolution does whatever its images.
struct Convolution {
  Window window;
  /// FP16 [group of 8 output channels][input channel][ky][kx][8]; compact.
  const void* weights = nullptr;
  /// Where they are stored otherwise: writes those of one group so.
  std::function<void(int64_t group, Half* to)> arrange;
  int64_t input_channels = 0;             ///< per group
  int64_t input_step = 0;                 ///< group g begins at input channel g*input_step: 0, or 8 for depthwise
  int64_t first = 0, last = 0;            ///< output channels [first, last)
  bool pool = false;                      ///< maximum over 2x2 follows
  bool fp16_sums = false;                 ///< the sum is rounded after every input channel
  Finish activation;                      ///< its bias and scale are those of channels without one of their own
  std::span<const float> biases, scales;  ///< by output channel; empty: none

  int64_t elements() const { return input_channels * window.area(); }
  Finish finish(int64_t channel) const {
    Finish f = activation;
    if (!biases.empty()) f.bias = biases[static_cast<size_t>(channel)];
    if (!scales.empty()) f.scale = scales[static_cast<size_t>(channel)];
    return f;
  }
};

/// `image` and `y` have the axes C, H, W. The image's FP32 form is made for some rows of y after another.
void convolve(ThreadPool& pool, PlanesCache& planes, const Grid& image, const Convolution& c, const Grid& y);

/// The same for images that have one element per channel as result: `x` has been made of all of them.
void convolve_elements(ThreadPool& pool, const ShiftedPlanes& x, const Convolution& c, std::span<const Grid> ys);

}  // namespace blobsmith::emulator
