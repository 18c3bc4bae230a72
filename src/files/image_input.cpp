#include "files/image_input.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "files/picture.hpp"

namespace blobsmith {
namespace {

constexpr int kMaxImageSide = 16384;

/// Pixel centres of the result on those of the picture.
struct Axis {
  std::vector<int> low, high;
  std::vector<float> weight;  ///< of `high`
  Axis(int in, int out) {
    for (int o = 0; o < out; ++o) {
      const float c =
          std::clamp((static_cast<float>(o) + 0.5f) * static_cast<float>(in) / static_cast<float>(out) - 0.5f, 0.0f,
                     static_cast<float>(in - 1));
      low.push_back(static_cast<int>(c));
      high.push_back(std::min(low.back() + 1, in - 1));
      weight.push_back(c - static_cast<float>(low.back()));
    }
  }
};

}  // namespace

std::vector<uint8_t> image_planes(const Bytes& file, int channels, int height, int width, const ImageOptions& options) {
  if ((channels != 1 && channels != 3) || height < 1 || width < 1 || height > kMaxImageSide || width > kMaxImageSide)
    throw Error(ErrorCode::ShapeMismatch, "a picture can't fill an input of this shape");
  const Picture p = read_picture(file, channels);
  int inner_height = height, inner_width = width;
  if (options.letterbox) {
    const float scale = std::min(static_cast<float>(height) / static_cast<float>(p.height),
                                 static_cast<float>(width) / static_cast<float>(p.width));
    inner_height = std::clamp(static_cast<int>(std::lround(static_cast<float>(p.height) * scale)), 1, height);
    inner_width = std::clamp(static_cast<int>(std::lround(static_cast<float>(p.width) * scale)), 1, width);
  }
  const int top = (height - inner_height) / 2, left = (width - inner_width) / 2;
  const Axis rows(p.height, inner_height), columns(p.width, inner_width);
  std::vector<uint8_t> out(static_cast<size_t>(channels) * static_cast<size_t>(height) * static_cast<size_t>(width),
                           options.fill);
  const auto pixel = [&](int y, int x, int c) {
    const int64_t place = (int64_t{y} * p.width + x) * channels + c;
    return static_cast<float>(p.pixels[static_cast<size_t>(place)]);
  };
  for (int c = 0; c < channels; ++c) {
    const int source = options.bgr ? channels - 1 - c : c;
    for (int y = 0; y < inner_height; ++y)
      for (int x = 0; x < inner_width; ++x) {
        const auto r = static_cast<size_t>(y), k = static_cast<size_t>(x);
        const float v = columns.weight[k], upper = pixel(rows.low[r], columns.low[k], source) * (1 - v) +
                                                   pixel(rows.low[r], columns.high[k], source) * v;
        const float lower =
            pixel(rows.high[r], columns.low[k], source) * (1 - v) + pixel(rows.high[r], columns.high[k], source) * v;
        const size_t place = (static_cast<size_t>(c) * static_cast<size_t>(height) + static_cast<size_t>(top + y)) *
                                 static_cast<size_t>(width) +
                             static_cast<size_t>(left + x);
        out[place] = static_cast<uint8_t>(std::lround(upper * (1 - rows.weight[r]) + lower * rows.weight[r]));
      }
  }
  return out;
}

}  // namespace blobsmith
