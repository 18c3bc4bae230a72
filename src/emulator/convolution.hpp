// The convolution that hardware and software stages share: sums of shifted image rows, in FP32.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "compute/simd.hpp"
#include "emulator/view.hpp"

namespace blobsmith::emulator {

using compute::Finish;
using compute::kGroup;

/// How output positions map to input positions: x_in = x*stride_x - pad_left + kx*dilation_x. What lies outside is 0.
struct Window {
  int64_t kernel_x = 1, kernel_y = 1, stride_x = 1, stride_y = 1, pad_left = 0, pad_top = 0, dilation_x = 1, dilation_y = 1;
  bool operator==(const Window&) const = default;
  static constexpr int64_t kLargestKernel = 4096, kLargestPool = 1 << 28;  ///< a maximum over a whole tensor is one window
  /// Throws BadBlob for numbers that no convolution (or pool) has.
  void check(int64_t largest_kernel = kLargestKernel) const;
};

/// Images as FP32 with borders of zeros, taken apart by stride: the values that one kernel element needs for all positions of
/// an output row lie side by side, and those of the next output row `pitch` behind. So the contribution of a kernel
/// element to a whole plane is one long row.
class ShiftedPlanes {
 public:
  /// `image` has the axes C, H, W.
  ShiftedPlanes(ThreadPool& pool, const Grid& image, int64_t channels, const Window& window, int64_t out_height, int64_t out_width);

  const float* data() const { return values_.get(); }
  int64_t pitch() const { return pitch_; }
  int64_t channels() const { return channels_; }
  /// Where the row for each element of the kernel, (channel*kernel_y + ky)*kernel_x + kx, and output row 0 begins.
  const int32_t* offsets() const { return offsets_.data(); }

 private:
  int32_t place_of(int64_t channel, int64_t ky, int64_t kx) const;
  void fill(const Grid& image, int64_t channel);

  Window window_;
  int64_t channels_, height_, pitch_, plane_;
  int64_t phases_x_, phases_y_;
  std::unique_ptr<float[]> values_;
  std::vector<int32_t> offsets_;
};

struct Convolution {
  Grid y;  ///< C, H, W
  Window window;
  /// FP16 [group of 8 output channels][input channel][ky][kx][8]; compact.
  const void* weights = nullptr;
  int64_t input_channels = 0;   ///< per group
  int64_t input_step = 0;       ///< group g begins at input channel g*input_step: 0, or 8 for depthwise
  int64_t first = 0, last = 0;  ///< output channels [first, last)
  bool pool = false;            ///< maximum over 2x2 follows; y is the pooled plane
  bool fp16_sums = false;       ///< the sum is rounded after every input channel
  std::function<Finish(int64_t channel)> finish;
};

/// One group's weights as floats, without those that are zero for all its channels: memory that nobody wrote must not be
/// touched (execution spec §1.3).
struct PackedGroup {
  std::unique_ptr<float[]> weights;     ///< [element][8]
  std::unique_ptr<int32_t[]> elements;  ///< which elements of the kernel were kept, growing
  int64_t count = 0;
  bool sparse = false;  ///< depthwise kernels come as dense ones that are nearly all zero
};

/// The weights of the last convolution. Tiles of a layer follow each other and share them.
class PackedWeights {
 public:
  /// Packs all groups, unless they are many or were packed for the convolution before.
  void prepare(ThreadPool& pool, const Convolution& c);
  /// Null: to be packed when needed.
  const PackedGroup* find(int64_t group) const { return group - first_ < static_cast<int64_t>(groups_.size()) ? &groups_[static_cast<size_t>(group - first_)] : nullptr; }

 private:
  const void* weights_ = nullptr;
  int64_t elements_ = 0, first_ = 0;
  std::vector<PackedGroup> groups_;
};

/// `x` must have been made for the same window and the output size (before pooling). `packed` must not outlive the
/// weights' contents.
void convolve(ThreadPool& pool, const ShiftedPlanes& x, const Convolution& c, PackedWeights& packed);

}  // namespace blobsmith::emulator
