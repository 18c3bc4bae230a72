// Accidents of the reference's graph conversion that reach the bytes of a blob through automatic names (docs/quirks.md;
// front-end spec §2.2). See also graph/ops/inference_ids.hpp.
#pragma once
#include <cstdint>

#include "graph/graph.hpp"

namespace blobsmith::transforms::quirks {

/// Numbers of the node counter that it takes to infer all shapes again, as happens after each pass that changed
/// something.
int64_t ids_of_validation(const Graph& graph);
/// Numbers that it takes to fold `n`.
int64_t ids_of_folding(const Node& n);

/// The reference decomposes ShuffleChannels by shape arithmetic: numbers taken before, between and after the first
/// Reshape and the Transpose.
inline constexpr int64_t kShuffleIdsBefore = 7, kShuffleIdsBetween = 28, kShuffleIdsAfter = 1;

}  // namespace blobsmith::transforms::quirks
