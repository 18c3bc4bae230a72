// The convolutions that a detector ends in, by stride, and what becomes of their channels.
#pragma once
#include <optional>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::heads {

enum class Role {
  Boxes,       ///< sides or corners; DFL: 4 x bins
  Classes,     ///< one score for each
  Objectness,  ///< one score, beside those of the classes
  Angle,       ///< of a rotated box
  Extra,       ///< coefficients of masks, key points
  Everything,  ///< all of this, by anchors
};

struct LevelConvolution {
  Value value;  ///< [1, channels, H, W], with its bias
  Role role = Role::Everything;
  int64_t channels() const { return value.shape()[1]; }
};

struct Level {
  int64_t stride = 0;  ///< pixels of the picture for a cell
  std::vector<LevelConvolution> convolutions;

  const LevelConvolution* find(Role role) const;
};

struct Levels {
  const Node* picture = nullptr;  ///< the input
  const Node* result = nullptr;   ///< the boxes
  std::vector<Level> levels;      ///< smallest stride first
  int64_t bins = 1;               ///< of the distribution over each side (DFL); 1: none
  int64_t scores = 0;    ///< channels that become scores, where a level has one convolution that gives the host
                         ///< all others as they are
  bool chooses = false;  ///< the network itself keeps the best boxes only (TopK)
};

/// The levels behind a result; none where it isn't computed as a YOLO computes its boxes.
std::optional<Levels> find_levels(const Graph& graph, const Node* result);

}  // namespace blobsmith::heads
