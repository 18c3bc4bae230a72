// Suppression of boxes class by class, as ONNX and OpenVINO define it.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace blobsmith::compute {

struct NonMaxSuppression {
  int64_t images = 0, classes = 0, count = 0;
  std::span<const float> boxes;   ///< [image][box][4]
  std::span<const float> scores;  ///< [image][class][box]
  bool centres = false;           ///< boxes are given as middle and size, else as two opposite corners
  int64_t limit = 0;              ///< of an image and class
  float overlap = 0, least = 0;   ///< thresholds: larger overlaps go, scores must be larger
  float sigma = 0;                ///< larger than 0: soft suppression

  struct Selected {
    int64_t image, label, box;
    float score;
  };
  std::vector<Selected> run() const;
};

}  // namespace blobsmith::compute
