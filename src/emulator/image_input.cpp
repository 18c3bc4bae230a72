#include "emulator/image_input.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "core/error.hpp"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#define STBI_NO_STDIO
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

namespace blobsmith {
namespace {

constexpr int kMaxSide = 16384;

Error bad_image(const std::string& what) { return Error(ErrorCode::BadTensorFile, "not a picture that can be read: " + what); }

struct Picture {
  int width = 0, height = 0;
  std::unique_ptr<uint8_t, void (*)(void*)> pixels{nullptr, stbi_image_free};  ///< interleaved, `channels` per pixel
};

Picture decode(const Bytes& file, int channels) {
  if (file.size() > static_cast<size_t>(std::numeric_limits<int>::max())) throw bad_image("it is too large");
  const int size = static_cast<int>(file.size());
  Picture p;
  int stored = 0;
  if (!stbi_info_from_memory(file.data(), size, &p.width, &p.height, &stored)) throw bad_image(stbi_failure_reason());
  if (p.width < 1 || p.height < 1 || p.width > kMaxSide || p.height > kMaxSide) throw bad_image("it has " + std::to_string(p.width) + " x " + std::to_string(p.height) + " pixels");
  p.pixels.reset(stbi_load_from_memory(file.data(), size, &p.width, &p.height, &stored, channels));
  if (!p.pixels) throw bad_image(stbi_failure_reason());
  return p;
}

/// Pixel centres of the result on those of the picture.
struct Axis {
  std::vector<int> low, high;
  std::vector<float> weight;  ///< of `high`
  Axis(int in, int out) {
    for (int o = 0; o < out; ++o) {
      const float c = std::clamp((static_cast<float>(o) + 0.5f) * static_cast<float>(in) / static_cast<float>(out) - 0.5f, 0.0f, static_cast<float>(in - 1));
      low.push_back(static_cast<int>(c));
      high.push_back(std::min(low.back() + 1, in - 1));
      weight.push_back(c - static_cast<float>(low.back()));
    }
  }
};

}  // namespace

std::vector<uint8_t> image_planes(const Bytes& file, int channels, int height, int width, const ImageOptions& options) {
  if ((channels != 1 && channels != 3) || height < 1 || width < 1 || height > kMaxSide || width > kMaxSide) throw Error(ErrorCode::ShapeMismatch, "a picture can't fill an input of this shape");
  const Picture p = decode(file, channels);
  int inner_height = height, inner_width = width;
  if (options.letterbox) {
    const float scale = std::min(static_cast<float>(height) / static_cast<float>(p.height), static_cast<float>(width) / static_cast<float>(p.width));
    inner_height = std::clamp(static_cast<int>(std::lround(static_cast<float>(p.height) * scale)), 1, height);
    inner_width = std::clamp(static_cast<int>(std::lround(static_cast<float>(p.width) * scale)), 1, width);
  }
  const int top = (height - inner_height) / 2, left = (width - inner_width) / 2;
  const Axis rows(p.height, inner_height), columns(p.width, inner_width);
  std::vector<uint8_t> out(static_cast<size_t>(channels) * static_cast<size_t>(height) * static_cast<size_t>(width), options.fill);
  const auto pixel = [&](int y, int x, int c) {
    const int64_t place = (int64_t{y} * p.width + x) * channels + c;
    return static_cast<float>(p.pixels.get()[place]);
  };
  for (int c = 0; c < channels; ++c) {
    const int source = options.bgr ? channels - 1 - c : c;
    for (int y = 0; y < inner_height; ++y)
      for (int x = 0; x < inner_width; ++x) {
        const auto r = static_cast<size_t>(y), k = static_cast<size_t>(x);
        const float v = columns.weight[k], upper = pixel(rows.low[r], columns.low[k], source) * (1 - v) + pixel(rows.low[r], columns.high[k], source) * v;
        const float lower = pixel(rows.high[r], columns.low[k], source) * (1 - v) + pixel(rows.high[r], columns.high[k], source) * v;
        const size_t place = (static_cast<size_t>(c) * static_cast<size_t>(height) + static_cast<size_t>(top + y)) * static_cast<size_t>(width) + static_cast<size_t>(left + x);
        out[place] = static_cast<uint8_t>(std::lround(upper * (1 - rows.weight[r]) + lower * rows.weight[r]));
      }
  }
  return out;
}

bool looks_like_image(const Bytes& file) {
  const std::string_view head(reinterpret_cast<const char*>(file.data()), std::min<size_t>(file.size(), 8));
  return head.starts_with("\x89PNG") || head.starts_with("\xFF\xD8\xFF") || head.starts_with("BM") || head.starts_with("GIF8") || head.starts_with("P5") || head.starts_with("P6");
}

}  // namespace blobsmith
