#include "emulator/shifted_planes.hpp"

#include <algorithm>

namespace blobsmith::emulator {

using compute::kSlack;

namespace {

/// Every `step`-th number.
void take_apart(const float* from, int64_t step, int64_t n, float* to) {
  if (step == 2) return compute::every_second(from, n, to);
  for (int64_t i = 0; i < n; ++i) to[i] = from[i * step];
}

}  // namespace

void check_window(const Window& w, int64_t largest_kernel) {
  const auto in_range = [](int64_t v, int64_t low, int64_t high) { return v >= low && v <= high; };
  constexpr int64_t kMaxStride = 4096, kMaxPad = 1 << 20;
  const bool ok = in_range(w.kernel_x, 1, largest_kernel) && in_range(w.kernel_y, 1, largest_kernel) &&
                  in_range(w.stride_x, 1, kMaxStride) && in_range(w.stride_y, 1, kMaxStride) &&
                  in_range(w.pad_left, 0, kMaxPad) && in_range(w.pad_top, 0, kMaxPad) &&
                  in_range(w.dilation_x, 1, kLargestKernel) && in_range(w.dilation_y, 1, kLargestKernel);
  if (!ok) throw Error(ErrorCode::BadBlob, "bad blob: kernel, stride, padding or dilation out of range");
}

template <class Place>
void ShiftedPlanes::allocate(Place place_of) {
  constexpr int64_t kMaxFloats = int64_t{1} << 28;
  plane_ = shape_.phases() * shape_.height * shape_.pitch;
  if (plane_ % 256 == 0) plane_ += 16;  // planes a power of two apart would fall into the same cache lines
  if (plane_ > kMaxFloats || channels_ * plane_ + 2 * kSlack > kMaxFloats)
    throw Error(ErrorCode::AllocationFailed, "a convolution needs too much memory");
  values_ = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(channels_ * plane_ + 2 * kSlack));
  std::fill_n(values_.get() + channels_ * plane_, 2 * kSlack, 0.0f);
  const int64_t area = window_.area();
  offsets_ = std::make_unique_for_overwrite<int32_t[]>(static_cast<size_t>(channels_ * area));
  for (int64_t e = 0; e < area; ++e) {
    const int64_t place = place_of(e);
    for (int64_t c = 0; c < channels_; ++c)
      offsets_[static_cast<size_t>(c * area + e)] = static_cast<int32_t>(c * plane_ + place);
  }
}

ShiftedPlanes::Shape::Shape(const Window& window, int64_t rows, int64_t columns) {
  const int64_t reach_x = (window.kernel_x - 1) * window.dilation_x,
                reach_y = (window.kernel_y - 1) * window.dilation_y;
  phases_x = std::min(window.stride_x, reach_x + 1);
  phases_y = std::min(window.stride_y, reach_y + 1);
  pitch = columns + reach_x / window.stride_x;
  height = rows + reach_y / window.stride_y;
}

ShiftedPlanes::ShiftedPlanes(ThreadPool& pool, const Grid& image, int64_t channels, const Window& window,
                             int64_t out_height, int64_t out_width)
    : window_(window), channels_(std::min(channels, image.dims[0])), shape_(window, out_height, out_width) {
  allocate([&](int64_t e) {
    const int64_t y = e / window.kernel_x * window.dilation_y, x = e % window.kernel_x * window.dilation_x;
    const int64_t phase = y % window.stride_y * shape_.phases_x + x % window.stride_x;
    return (phase * shape_.height + y / window.stride_y) * shape_.pitch + x / window.stride_x;
  });
  pool.run_ranges(
      channels_,
      [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) fill(image, c);
      },
      channels_ * plane_);
}

ShiftedPlanes::ShiftedPlanes(std::span<const Grid> images, int64_t channels, const Window& window)
    : window_{window.kernel_x, window.kernel_y},
      channels_(std::min(channels, images[0].dims[0])),
      shape_({}, window.area(), static_cast<int64_t>(images.size())) {
  // Each element of the kernel meets one element of each image.
  allocate([&](int64_t e) { return e * shape_.pitch; });
  const int64_t rows = std::min(window.kernel_y, images[0].dims[1]),
                columns = std::min(window.kernel_x, images[0].dims[2]);
  std::fill_n(values_.get(), channels_ * plane_, 0.0f);
  std::vector<float> plane(static_cast<size_t>(window.area()));
  for (int64_t i = 0; i < shape_.pitch; ++i) {
    const Grid& g = images[static_cast<size_t>(i)];
    for (int64_t c = 0; c < channels_; ++c) {
      load_rows(g.data + c * g.strides[0], g.strides[1], g.strides[2], g.type, rows, columns, plane.data(),
                window.kernel_x);
      float* to = values_.get() + c * plane_ + i;
      for (size_t e = 0; e < plane.size(); ++e) to[static_cast<int64_t>(e) * shape_.pitch] = plane[e];
    }
  }
}

void ShiftedPlanes::fill(const Grid& image, int64_t channel) {
  const int64_t in_height = image.dims[1], in_width = image.dims[2];
  const Window& w = window_;
  const uint8_t* from = image.data + channel * image.strides[0];
  float* plane = values_.get() + channel * plane_;
  if (w.stride_x == 1 && w.stride_y == 1) {
    // The part of the image that lies inside of the plane, at its place.
    const int64_t top = std::min(w.pad_top, shape_.height), left = std::min(w.pad_left, shape_.pitch),
                  rows = std::min(in_height, shape_.height - top), columns = std::min(in_width, shape_.pitch - left);
    if (rows <= 0 || columns <= 0) {
      std::fill_n(plane, plane_, 0.0f);
      return;
    }
    float* inside = plane + top * shape_.pitch + left;
    std::fill(plane, inside, 0.0f);
    load_rows(from, image.strides[1], image.strides[2], image.type, rows, columns, inside, shape_.pitch);
    for (int64_t r = 0; r + 1 < rows; ++r)
      std::fill_n(inside + r * shape_.pitch + columns, shape_.pitch - columns, 0.0f);
    std::fill(inside + (rows - 1) * shape_.pitch + columns, plane + plane_, 0.0f);
    return;
  }
  constexpr int64_t kShortRow = 512;
  float short_row[kShortRow];
  std::unique_ptr<float[]> long_row;
  if (in_width > kShortRow) long_row = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(in_width));
  float* row = long_row ? long_row.get() : short_row;
  std::fill_n(plane, plane_, 0.0f);
  for (int64_t phase_y = 0; phase_y < shape_.phases_y; ++phase_y)
    for (int64_t j = 0; j < shape_.height; ++j) {
      const int64_t y = j * w.stride_y + phase_y - w.pad_top;
      if (y < 0 || y >= in_height) continue;
      load_row(from + y * image.strides[1], image.strides[2], image.type, in_width, row);
      for (int64_t phase_x = 0; phase_x < shape_.phases_x; ++phase_x) {
        const int64_t shift = phase_x - w.pad_left;  // x = i*stride + shift
        const int64_t first = shift >= 0 ? 0 : (-shift + w.stride_x - 1) / w.stride_x;
        const int64_t last =
            shift < in_width ? std::min(shape_.pitch, (in_width - shift + w.stride_x - 1) / w.stride_x) : 0;
        if (first < last)
          take_apart(row + first * w.stride_x + shift, w.stride_x, last - first,
                     plane + ((phase_y * shape_.phases_x + phase_x) * shape_.height + j) * shape_.pitch + first);
      }
    }
}

}  // namespace blobsmith::emulator
