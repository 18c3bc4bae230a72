// What a value is known to be before anything is folded: the reference tracks bounds of shape arithmetic
// (front-end spec §2.4); where they meet, the value is known.
#pragma once
#include <optional>

#include "graph/graph.hpp"

namespace blobsmith {

inline constexpr int64_t kSmallTensor = 1 << 16;  ///< elements

/// The value of an output that follows from constants and static shapes alone. Larger tensors than that are not
/// computed.
std::optional<Tensor> known_value(Value v, int64_t most_elements = kSmallTensor);

}  // namespace blobsmith
