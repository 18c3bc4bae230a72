// Pictures as network inputs.
#pragma once
#include <cstdint>
#include <vector>

#include "core/bytes.hpp"

namespace blobsmith {

struct ImageOptions {
  bool bgr = true;         ///< channel order of the result, as cameras of this family deliver it; false: RGB
  bool letterbox = false;  ///< keep the proportions and fill the rest; false: stretch
  uint8_t fill = 114;      ///< of the letterbox
};

/// A picture (PNG or JPEG) at a given size as planes [channels][height][width] of 0..255; channels is 1 or 3.
/// Bilinear. Throws BadTensorFile.
std::vector<uint8_t> image_planes(const Bytes& file, int channels, int height, int width,
                                  const ImageOptions& options = {});

}  // namespace blobsmith
