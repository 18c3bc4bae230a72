// Pooling of regions of feature maps (execution spec §9).
#pragma once
#include <cstdint>
#include <vector>

#include "compute/boxes.hpp"

namespace blobsmith::compute {

/// [item][channel][height][width]; no axis is empty.
struct FeatureMaps {
  const float* values = nullptr;
  int64_t items = 0, channels = 0, height = 0, width = 0;

  bool empty() const { return items <= 0 || channels <= 0 || height <= 0 || width <= 0; }
  const float* plane(int64_t item, int64_t channel) const {
    return values + (item * channels + channel) * height * width;
  }
};

/// Rows and columns that a region is divided in.
struct Bins {
  int64_t rows = 1, columns = 1;
};

/// NaN and what is far outside of any image become numbers that integers can hold.
float tame(float v);

/// The largest value of bin (i, j) of a region in pixels, of which both corners belong to it.
float largest_of_bin(const FeatureMaps& m, const float* plane, const Box& region, Bins bins, int64_t i, int64_t j);
/// Between the four values around a point inside the image.
float between_pixels(const FeatureMaps& m, const float* plane, float y, float x);
/// The same at point (i, j) of a grid over a region, which is in parts of the image; 0 outside of the image.
float interpolated(const FeatureMaps& m, const float* plane, const Box& region, Bins bins, int64_t i, int64_t j);
/// The mean of bin (i, j) of a region whose corners are whole pixels of a picture that is `scale` times as large as the
/// maps.
float mean_of_bin(const FeatureMaps& m, const float* plane, const Box& region, float scale, Bins bins, int64_t i,
                  int64_t j);

/// Where ROIAlign samples one region: per bin `samples` points (0: one per pixel) along each axis.
class RegionSamples {
 public:
  /// `half_pixel`: pixels are counted by their middle.
  RegionSamples(const FeatureMaps& m, const Box& region, Bins bins, int64_t samples, bool half_pixel = false);
  /// Whether the number of samples is sensible; nothing else may be asked otherwise.
  bool sensible() const { return sensible_; }
  /// One value per bin of a plane: the mean of its samples, or the largest of their weighted neighbours.
  void pool(const float* plane, bool mean, float* to) const;

 private:
  struct Sample {
    int64_t low, high;
    float weight;  ///< of `high`
    bool outside;
  };
  static std::vector<Sample> along(float start, float size, int64_t bins, int64_t samples, int64_t length);
  float pool_bin(const float* plane, bool mean, int64_t i, int64_t j) const;

  Bins bins_;
  int64_t width_;
  bool sensible_ = false;
  std::vector<Sample> rows_, columns_;
};

/// The level of a feature pyramid that a region of some area is taken from.
int64_t pyramid_level(const Box& region, int64_t levels);

}  // namespace blobsmith::compute
