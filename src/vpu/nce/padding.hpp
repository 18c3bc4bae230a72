// Padding as the convolution engine needs it (hw-tiling spec §4.7).
#pragma once
#include <algorithm>
#include <cstdint>

namespace blobsmith::vpu::nce {

/// Pixels around a plane. The engine learns only whether there are any; for pooling tiles `right` and `bottom` may be
/// negative.
struct Padding {
  int64_t left = 0, right = 0, top = 0, bottom = 0;
  constexpr bool enabled() const { return left || right || top || bottom; }
  bool operator==(const Padding&) const = default;
};

/// What a window needs at the end of an axis to reach `out` positions when `before` pixels are added in front.
constexpr int64_t required_pad_after(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t before) {
  return std::max<int64_t>(0, (out - 1) * stride + kernel - in - before);
}

struct PlaneSize {
  int64_t w = 0, h = 0;
};

/// Front pads as given, back pads from the sizes.
constexpr Padding required_padding(PlaneSize in, PlaneSize out, int64_t kernel_x, int64_t kernel_y, int64_t stride,
                                   int64_t left, int64_t top) {
  return {left, required_pad_after(in.w, out.w, kernel_x, stride, left), top,
          required_pad_after(in.h, out.h, kernel_y, stride, top)};
}

/// The paddings that the engine can do for a convolution: none, or half the kernel (the larger half in front).
constexpr bool conv_padding_supported(int64_t kernel_x, int64_t kernel_y, const Padding& p) {
  return !p.enabled() || (p.left == kernel_x / 2 && p.top == kernel_y / 2 && p.right == (kernel_x - 1) / 2 &&
                          p.bottom == (kernel_y - 1) / 2);
}

/// The same for pooling, where every side may also be unpadded.
constexpr bool pool_padding_supported(int64_t kernel_x, int64_t kernel_y, const Padding& p) {
  return (p.left == 0 || p.left == kernel_x / 2) && (p.right == 0 || p.right == (kernel_x - 1) / 2) &&
         (p.top == 0 || p.top == kernel_y / 2) && (p.bottom == 0 || p.bottom == (kernel_y - 1) / 2);
}

}  // namespace blobsmith::vpu::nce
