// Facts of a detector that only its numbers tell: anchors, and whether new outputs mean the same as the old ones.
#pragma once
#include <optional>
#include <vector>

#include "blobsmith/detection_head.hpp"
#include "heads/levels.hpp"

namespace blobsmith::heads {

/// Boxes that are made of anchors.
struct AnchorBoxes {
  int64_t each = 0;                          ///< anchors of a cell
  bool exponential = false;                  ///< sides are anchors times exp(t) (YOLO v3, v4), else (2 sigmoid(t))^2
  std::vector<std::vector<double>> anchors;  ///< by level: widths and heights
};
/// Read off the boxes that the network makes of convolutions that are zero; none where they don't behave so.
std::optional<AnchorBoxes> read_anchor_boxes(const Graph& graph, const Levels& levels);

/// How many numbers of a key point the network gives: 3 with a score; 0 where the last columns of its boxes are none.
int numbers_of_key_point(const Graph& graph, const Levels& levels, int classes);

/// Whether boxes decoded from the first results of `after`, as the camera does it, are those that the list of `before`
/// holds, for random convolutions; also their key points or angles, which the next results hold.
bool means_the_same(const Graph& before, const Levels& levels, const Graph& after, const DetectionHead& head);

/// The level convolutions behind the result that has most; at least two levels.
std::optional<Levels> most_levels(const Graph& graph);

}  // namespace blobsmith::heads
