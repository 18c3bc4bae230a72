#include "compute/non_max_suppression.hpp"

#include <algorithm>

#include "compute/boxes.hpp"

namespace blobsmith::compute {

std::vector<NonMaxSuppression::Selected> NonMaxSuppression::run() const {
  std::vector<Selected> all;
  for (int64_t image = 0; image < images; ++image)
    for (int64_t label = 0; label < classes; ++label) {
      std::vector<Box> candidates;
      std::vector<float> values;
      std::vector<int64_t> places;
      for (int64_t i = 0; i < count; ++i) {
        const float score = scores[static_cast<size_t>((image * classes + label) * count + i)];
        if (!(score > least)) continue;
        const float* b = boxes.data() + (image * count + i) * 4;
        if (centres)
          candidates.push_back({b[0] - b[2] / 2, b[1] - b[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2});
        else
          candidates.push_back(
              {std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])});
        values.push_back(score);
        places.push_back(i);
      }
      const auto kept = sigma > 0 ? suppress_softly(candidates, values, sigma, least, limit)
                                  : suppress(candidates, values, overlap, limit);
      for (int64_t k : kept)
        all.push_back({image, label, places[static_cast<size_t>(k)], values[static_cast<size_t>(k)]});
    }
  return all;
}

}  // namespace blobsmith::compute
