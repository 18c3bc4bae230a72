// Sizes of planes as Model Optimizer computes them while the network runs, and what needs them: boxes around places.
#pragma once
#include <string>

#include "importers/common/layer_builder.hpp"

namespace blobsmith::importers {

/// Height and width of x, [N, C, H, W]: a ShapeOf named `shape` and a StridedSlice named `slice` behind the layer's
/// name.
Value plane_size(LayerBuilder& b, Value x, const std::string& shape, const std::string& slice);
/// Boxes around each place of a feature map in a picture (PriorBox, PriorBoxClustered). `picture_size`: given instead
/// of the picture's.
Value prior_boxes(LayerBuilder& b, const std::string& type, Value map, Value picture, Attributes a,
                  std::vector<int64_t> picture_size = {});

}  // namespace blobsmith::importers
