// Which stages can run together, seen from their records alone. The compiler cuts large layers into many small stages;
// one by one they would keep a processor busy with beginning and ending.
#pragma once
#include <span>
#include <vector>

#include "vpu/format/blob.hpp"

namespace blobsmith::emulator {

struct StageGroup {
  enum class Kind {
    Single,
    Joined,     ///< convolutions to one element per channel with the same weights: one convolution of several elements
    SideBySide  ///< small hardware stages that have nothing to do with each other
  };
  Kind kind = Kind::Single;
  size_t first = 0, count = 1;
};

/// All stages, in their order. What a group's stages read or write is written by none of its others.
std::vector<StageGroup> group_stages(std::span<const vpu::BlobStage> stages);

}  // namespace blobsmith::emulator
