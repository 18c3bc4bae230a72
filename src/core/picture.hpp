// What counts as a picture, for what only pictures have: bytes as the usual type, frames of a camera.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace blobsmith {

/// Which dimension of NCHW or NHWC holds the channels: 1, 3 or 4 of them over two sides. Nothing for other tensors: a
/// line (an audio signal, an attention mask) is no picture.
inline std::optional<size_t> picture_channels(const std::vector<int64_t>& shape) {
  if (shape.size() != 4) return std::nullopt;
  const auto is = [](int64_t channels, int64_t height, int64_t width) {
    return (channels == 1 || channels == 3 || channels == 4) && height > 1 && width > 1;
  };
  if (is(shape[1], shape[2], shape[3])) return 1;
  if (is(shape[3], shape[1], shape[2])) return 3;
  return std::nullopt;
}

}  // namespace blobsmith
