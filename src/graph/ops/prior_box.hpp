// The boxes of PriorBox and PriorBoxClustered as numbers (middle-end spec §3.5.1).
#pragma once
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith {

/// Sizes of the feature map and of the image.
struct PriorBoxGrid {
  int64_t width, height, image_width, image_height;
};

/// Boxes per cell of a PriorBox (of either form) with these attributes.
int64_t prior_count(const Attributes& attrs);
int64_t clustered_prior_count(const Attributes& attrs);

/// Both rows of the output: corners of all boxes, then their variances; 2·4·priors·height·width values. FP32
/// arithmetic.
std::vector<float> prior_boxes(const Attributes& attrs, const PriorBoxGrid& grid);
std::vector<float> clustered_prior_boxes(const Attributes& attrs, const PriorBoxGrid& grid);

}  // namespace blobsmith
