// PNG and JPEG files, decoded by libpng and libjpeg-turbo.
#pragma once
#include <cstdint>
#include <vector>

#include "core/bytes.hpp"

namespace blobsmith {

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;  ///< row by row, the channels of a pixel together: red, green, blue; or its brightness
};

/// true if the bytes begin like a picture of either kind.
bool looks_like_image(const Bytes& file);
/// The picture with 1 or 3 channels, whatever the file has; transparency is left out. Throws BadTensorFile.
Picture read_picture(const Bytes& file, int channels);

}  // namespace blobsmith
