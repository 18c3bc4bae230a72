// Proposal of Faster R-CNN: boxes of an image from anchors that lie at every place of a feature map (execution spec
// §9).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "compute/boxes.hpp"

namespace blobsmith::compute {

struct Proposal {
  int64_t base = 0, stride = 1, min_size = 0, before = 0,
          after = 0;  ///< before, after: how many are kept before and behind the suppression
  std::vector<float> ratios, scales;
  float offset = 1;  ///< added to sides: 1 where the last pixel belongs to a box
  bool round_ratios = true, centred_anchors = false;
  bool rows_first = false;  ///< the first coordinate runs along the rows
  bool clip_anchors = false, clip_before = false, clip_after = false;
  bool normalize = false;  ///< to parts of the image
  float coordinate_scale = 1, size_scale = 1, nms_threshold = 0;
  int64_t height = 0, width = 0;  ///< of the feature map
  std::span<const float> scores;  ///< [2][anchor][height][width]: background, object
  std::span<const float> deltas;  ///< [anchor][4][height][width]
  std::span<const float> image;   ///< height, width, scale, or a scale for each

  int64_t anchor_count() const { return static_cast<int64_t>(ratios.size() * scales.size()); }

  struct Regions {
    std::vector<float> rows;  ///< [0, x1, y1, x2, y2]; -1 ends them where there is room
    std::vector<float> probabilities;
  };
  Regions run(int64_t room) const;

 private:
  struct Image {
    float height, width, scale_h, scale_w;
  };
  std::vector<Box> anchors() const;
  Box moved(Box anchor, const float* delta, const Image& of) const;
};

}  // namespace blobsmith::compute
