// The detection head of SSD: from locations, scores and priors to the boxes found (execution spec §9).
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "compute/boxes.hpp"

namespace blobsmith::compute {

struct Prior {
  Box box;
  std::array<float, 4> variance{1, 1, 1, 1};
};

/// A list of numbers, wherever it is and of whatever type.
struct Numbers {
  int64_t count = 0;
  std::function<void(int64_t first, std::span<float> to)> read;

  static Numbers of(std::span<const float> values);
  template <size_t N>
  std::array<float, N> at(int64_t first) const {
    std::array<float, N> r;
    read(first, r);
    return r;
  }
};

/// How a location says where its box lies beside the prior.
enum class BoxCode { Corner, CenterSize, CornerSize };

struct SsdHead {
  int64_t images = 1, prior_count = 0, classes = 0, background = 0;
  bool share_location = true;    ///< one location for all classes
  bool best_class_only = false;  ///< MXNet's way: a prior stands for its best class, top_k is for all classes together,
                                 ///< labels are one less
  bool clip_before_suppression = false, clip_after = false;
  BoxCode code = BoxCode::Corner;
  int64_t top_k = -1, keep_top_k = -1;  ///< of a class, of all; negative: all
  float confidence_threshold = 0, nms_threshold = 0, objectness_score = 0;
  bool normalized =
      true;  ///< boxes of priors have 4 numbers, in units of the image; else 5, the last four in pixels of the image
  int64_t image_width = 1, image_height = 1;
  Numbers priors;             ///< [table][boxes, then variances unless they are in the locations][prior]
  int64_t prior_tables = 1;   ///< one for all images, or one for each
  int64_t table_numbers = 0;  ///< from one table to the next
  bool variances = false;
  Numbers locations;          ///< [image][prior][class or one][4]
  Numbers scores;             ///< [image][prior][class]
  Numbers refined_scores;     ///< [image][prior][2]: background, object; none: no refinement
  Numbers refined_locations;  ///< [image][prior][4]

  /// Whether all that is filled in has the sizes that the counts say.
  bool fits() const;
  /// `count` numbers: rows [image, class, score, box]; image -1 ends them where there is room.
  std::vector<float> rows(int64_t count) const;

 private:
  struct Detection {
    float score;
    int64_t label;
    Box box;
  };
  struct Candidate {
    int64_t prior;
    float score;
  };
  using Candidates = std::vector<Candidate>;

  std::vector<Detection> detect(int64_t image) const;
  std::vector<Candidates> candidates(int64_t image) const;
  void keep_best(Candidates& list) const;
  Prior prior_of(int64_t image, int64_t index) const;
  Box decode(const std::array<float, 4>& location, const Prior& prior) const;
  int64_t best_class(std::span<const float> of_prior) const;
  std::vector<Detection> best_of(const std::vector<Detection>& found) const;
};

}  // namespace blobsmith::compute
