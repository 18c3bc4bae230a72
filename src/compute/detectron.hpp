// The operations of Detectron's networks: proposals of anchors, detections of regions, grids of priors (execution spec
// §9).
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "compute/boxes.hpp"

namespace blobsmith::compute {

/// What boxes are rounded to before they are compared with each other.
enum class BoxPrecision { Single, Half };

struct Found {
  std::vector<Box> boxes;
  std::vector<float> scores;
  std::vector<int64_t> classes;

  void add(const Box& box, float score, int64_t label);
  /// The best `limit` (negative: all), by falling score.
  void keep_best(int64_t limit);
};

/// Boxes of an image from anchors that lie at every place of a feature map.
struct ProposalSearch {
  float min_size = 0, nms_threshold = 0;
  int64_t before = 0, after = 0;  ///< how many are kept before and behind the suppression
  BoxPrecision precision = BoxPrecision::Single;
  int64_t count = 0, plane = 0;   ///< anchors at a place, places
  float height = 0, width = 0;    ///< of the image
  std::span<const float> deltas;  ///< [count][4][plane]
  std::span<const float> scores;  ///< [count][plane]

  /// `anchors`: [plane][count].
  Found run(const std::vector<Box>& anchors) const;
};

/// Objects of an image from regions, with boxes and scores for every class; class 0 is the background.
struct RegionDetections {
  float score_threshold = 0, nms_threshold = 0, max_delta = 0;
  int64_t classes = 0, per_class = 0, limit = 0;
  std::array<float, 4> weights{1, 1, 1, 1};
  BoxPrecision precision = BoxPrecision::Single;
  std::span<const float> deltas;  ///< [region][class][4]
  std::span<const float> scores;  ///< [region][class]

  Found run(const std::vector<Box>& regions) const;
};

/// The best `limit` regions.
std::vector<Box> best_regions(const std::vector<Box>& regions, const std::vector<float>& probabilities, int64_t limit);
/// The priors around the middle of every cell, row by row.
std::vector<Box> prior_grid(const std::vector<Box>& priors, int64_t height, int64_t width, float step_x, float step_y);

std::vector<Box> boxes_of(std::span<const float> numbers);
std::vector<float> numbers_of(const std::vector<Box>& boxes);

}  // namespace blobsmith::compute
