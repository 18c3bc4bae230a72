#include "emulator/pool_plane.hpp"

#include <algorithm>
#include <limits>

namespace blobsmith::emulator {
namespace {

template <class Combine>
void pool(const Window& w, const float* in, int64_t height, int64_t width, float start, Combine combine, float* out, int64_t out_height, int64_t out_width) {
  std::vector<float> column(static_cast<size_t>(width));  // of each column, what falls into the window's rows
  for (int64_t oy = 0; oy < out_height; ++oy) {
    const Span rows = cut(oy * w.stride_y - w.pad_top, w.kernel_y, 0, height);
    std::fill(column.begin(), column.end(), start);
    for (int64_t y = rows.begin; y < rows.end; ++y)
      for (int64_t x = 0; x < width; ++x) column[static_cast<size_t>(x)] = combine(column[static_cast<size_t>(x)], in[y * width + x]);
    for (int64_t ox = 0; ox < out_width; ++ox) {
      const Span columns = cut(ox * w.stride_x - w.pad_left, w.kernel_x, 0, width);
      float v = start;
      for (int64_t x = columns.begin; x < columns.end; ++x) v = combine(v, column[static_cast<size_t>(x)]);
      *out++ = v;
    }
  }
}

}  // namespace

void pool_plane(bool max, const Window& w, const float* in, int64_t height, int64_t width, float* out, int64_t out_height, int64_t out_width) {
  if (max) pool(w, in, height, width, -std::numeric_limits<float>::infinity(), [](float a, float b) { return std::max(a, b); }, out, out_height, out_width);
  else pool(w, in, height, width, 0.0f, [](float a, float b) { return a + b; }, out, out_height, out_width);
}

}  // namespace blobsmith::emulator
