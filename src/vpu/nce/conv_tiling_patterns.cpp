// quirk: fixed tilings of a few convolutions of well-known networks (hw-tiling spec §7.4).
#include "vpu/nce/conv_tiling_patterns.hpp"

namespace blobsmith::vpu::nce {
namespace {

using W = ConvPattern::Window;
constexpr int kSlicesForPatterns = 9;

// window, kernel, pad, stride | input channels, size | output channels, or, height | tile w, h, channels | restart
// clang-format off
constexpr ConvPattern kPatterns[] = {
    {W::Square, 3, 1, 1, 512, 28, 512, 0, 0, {0, 28, 172}, true},
    {W::Square, 3, 1, 1, 256, 56, 256, 0, 0, {0, 30, 128}, true},
    {W::Square, 3, 1, 1, 64, 224, 64, 0, 0, {82, 82, 0}, true},
    {W::Any, 0, 0, 0, 512, 7, 4096, 0, 0, {0, 0, 64}, false},
    {W::Square, 3, 1, 1, 128, 112, 128, 0, 0, {112, 32, 32}, true},
    {W::Any, 0, 0, 0, 1088, 17, 128, 192, 0, {0, 17, 544}, true},
    {W::Any, 0, 0, 0, 1024, 17, 384, 0, 0, {0, 17, 512}, true},
    {W::Square, 3, 0, 2, 384, 35, 384, 0, 0, {35, 35, 194}, true},
    {W::Any, 0, 0, 0, 192, 71, 0, 0, 35, {71, 0, 96}, true},
    {W::NoPool, 0, 0, 0, 256, 128, 256, 0, 0, {128, 15, 64}, true},
    {W::NoPool, 0, 0, 0, 512, 64, 512, 0, 0, {64, 10, 128}, true},
    {W::Square, 1, 0, 1, 384, 56, 64, 0, 0, {20, 56, 384}, true},
    {W::Square, 1, 0, 1, 2112, 14, 1056, 0, 0, {14, 14, 556}, true},
    {W::Square, 3, 1, 2, 256, 52, 512, 0, 0, {52, 52, 128}, true},
    {W::Square, 3, 1, 1, 256, 23, 640, 0, 0, {23, 14, 256}, true},
};
// clang-format on

}  // namespace

bool ConvPattern::matches(const ConvGeometry& g) const {
  const PlaneGeometry& p = g.plane;
  if (g.in_channels != in_channels || p.in.w != in_size || p.in.h != in_size) return false;
  if (out_channels && g.out_channels != out_channels && g.out_channels != other_out_channels) return false;
  if (out_height && p.out.h != out_height) return false;
  if (window != Window::Any && p.with_pool) return false;
  return window != Window::Square ||
         (p.kernel_x == kernel && p.kernel_y == kernel && p.stride == stride && p.pad == Padding{pad, pad, pad, pad});
}

TileShape ConvPattern::applied_to(TileShape found) const {
  return {tile.w ? tile.w : found.w, tile.h ? tile.h : found.h, tile.channels ? tile.channels : found.channels};
}

const ConvPattern* find_conv_pattern(const ConvGeometry& g, int slices) {
  if (slices < kSlicesForPatterns) return nullptr;
  for (const ConvPattern& p : kPatterns)
    if (p.matches(g)) return &p;
  return nullptr;
}

}  // namespace blobsmith::vpu::nce
