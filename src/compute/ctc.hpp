// Greedy decoding of what a network says step by step.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

namespace blobsmith::compute {

/// The best class of each step without blanks and, with `merge`, without repeats. The scores of a step are `pitch`
/// behind those of the one before.
inline std::vector<int64_t> greedy_labels(const float* scores, int64_t pitch, int64_t steps, int64_t classes,
                                          int64_t blank, bool merge) {
  std::vector<int64_t> labels;
  int64_t previous = -1;
  for (int64_t t = 0; t < steps; ++t) {
    const float* at = scores + t * pitch;
    const int64_t best = std::max_element(at, at + classes) - at;
    if (best != blank && !(merge && best == previous)) labels.push_back(best);
    previous = best;
  }
  return labels;
}

}  // namespace blobsmith::compute
