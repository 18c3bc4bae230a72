// What is YOLO's own: the activation of its regions, and Darknet's reorganisation of planes (execution spec §9).
#pragma once
#include <cstdint>
#include <vector>

namespace blobsmith::compute {

/// Planes of a region: x, y, w, h, ..., objectness, classes.
struct YoloRegions {
  int64_t count = 0, coords = 4, classes = 0;
  bool softmax = false;  ///< over the classes; else each has a sigmoid

  /// Whether that many channels hold them.
  bool fit(int64_t channels) const {
    return count >= 0 && coords >= 2 && classes >= 0 && count <= channels / (coords + 1 + classes);
  }
  /// `values`: [item][channel][plane].
  void activate(std::vector<float>& values, int64_t items, int64_t channels, int64_t plane) const;
};

/// The input [C][H][W] of each item, read as [C/s^2][H*s][W*s], comes out as [C][H][W]. Where s^2 does not divide C,
/// the last channels come from further rows, for which there must be room.
bool can_be_reorganised(int64_t channels, int64_t height, int64_t width, int64_t s);
/// Where an output row begins in the input, in elements; those behind it are s apart.
int64_t reorganised_row(int64_t channels, int64_t height, int64_t width, int64_t s, int64_t channel, int64_t row);

}  // namespace blobsmith::compute
