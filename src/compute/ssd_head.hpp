// The detection head of SSD: from locations, scores and priors to the boxes found (execution spec §9).
#pragma once
#include <array>
#include <span>
#include <vector>

#include "compute/boxes.hpp"

namespace blobsmith::compute {

struct Prior {
  Box box;
  std::array<float, 4> variance{1, 1, 1, 1};
};
/// `boxes` has rows of 4 numbers, in units of the image, or of 5, the last four being pixels of an image of the given size.
/// `variances`: rows of 4, or null.
std::vector<Prior> read_priors(const float* boxes, const float* variances, int64_t count, bool normalized, int64_t width, int64_t height);

/// How a location says where its box lies beside the prior.
enum class BoxCode { Corner, CenterSize, CornerSize };

struct SsdHead {
  int64_t images = 1, prior_count = 0, classes = 0, background = 0;
  bool share_location = true;    ///< one location for all classes
  bool best_class_only = false;  ///< MXNet's way: a prior stands for its best class, top_k is for all classes together, labels are one less
  bool clip_before_suppression = false, clip_after = false;
  BoxCode code = BoxCode::Corner;
  int64_t top_k = -1, keep_top_k = -1;  ///< of a class, of all; negative: all
  float confidence_threshold = 0, nms_threshold = 0, objectness_score = 0;
  std::vector<Prior> priors;                 ///< of every image, or of one for all
  std::span<const float> locations;          ///< [image][prior][class or one][4]
  std::span<const float> scores;             ///< [image][prior][class]
  std::span<const float> refined_scores;     ///< [image][prior][2]: background, object; empty: no refinement
  std::span<const float> refined_locations;  ///< [image][prior][4]

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
  std::vector<Detection> detect(int64_t image) const;
  std::vector<Prior> priors_of(int64_t image) const;
  std::vector<float> scores_of(int64_t image) const;
  Box decode(const float* location, const Prior& prior) const;
  int64_t best_class(const float* of_prior) const;
  template <class Label>
  std::vector<int64_t> candidates(const std::vector<float>& of_image, Label label_of) const;
  std::vector<Detection> best_of(const std::vector<Detection>& found) const;
};

}  // namespace blobsmith::compute
