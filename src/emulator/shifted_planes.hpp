// The input of a convolution, laid out so that every product is a sum over long rows.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compute/simd.hpp"
#include "emulator/view.hpp"
#include "vpu/format/window.hpp"

namespace blobsmith::emulator {

using vpu::Window;  // what lies outside of the input is 0

inline constexpr int64_t kLargestKernel = 4096,
                         kLargestPool = 1 << 28;  ///< a maximum over a whole tensor is one window
/// Throws BadBlob for numbers that no convolution (or pool) has.
void check_window(const Window& w, int64_t largest_kernel = kLargestKernel);
/// One axis of a window, as its X.
inline Window axis_window(int64_t kernel, int64_t stride, int64_t pad, int64_t dilation = 1) {
  Window w{.kernel_x = kernel, .stride_x = stride};
  w.pad_left = pad;
  w.dilation_x = dilation;
  return w;
}

/// Images as FP32 with borders of zeros, taken apart by stride: the values that one kernel element needs for all
/// positions of an output row lie side by side, and those of the next output row `pitch` behind. So the contribution of
/// a kernel element to a whole plane is one long row.
class ShiftedPlanes {
 public:
  /// What one channel becomes for `rows` x `columns` output elements: planes for each position between two steps.
  struct Shape {
    int64_t phases_x = 1, phases_y = 1, height = 1, pitch = 1;
    Shape(const Window& window, int64_t rows, int64_t columns);
    int64_t phases() const { return phases_x * phases_y; }
  };

  /// `image` has the axes C, H, W.
  ShiftedPlanes(ThreadPool& pool, const Grid& image, int64_t channels, const Window& window, int64_t out_height,
                int64_t out_width);
  /// Several images of equal size, each for one output element, as if these lay in one row. Borders only right and
  /// below.
  ShiftedPlanes(std::span<const Grid> images, int64_t channels, const Window& window);

  const float* data() const { return values_.get(); }
  int64_t pitch() const { return shape_.pitch; }
  int64_t channels() const { return channels_; }
  /// Where the row for each element of the kernel, (channel*kernel_y + ky)*kernel_x + kx, and output row 0 begins.
  const int32_t* offsets() const { return offsets_.get(); }
  bool all_finite() const { return compute::all_finite(values_.get(), channels_ * plane_); }

 private:
  /// `place_of`: of a kernel element, in a plane.
  template <class Place>
  void allocate(Place place_of);
  void fill(const Grid& image, int64_t channel);

  Window window_;
  int64_t channels_, plane_ = 0;
  Shape shape_;
  std::unique_ptr<float[]> values_;
  std::unique_ptr<int32_t[]> offsets_;
};

}  // namespace blobsmith::emulator
