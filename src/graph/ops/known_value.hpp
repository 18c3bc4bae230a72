// What a value is known to be before anything is folded: the reference tracks bounds of shape arithmetic
// (front-end spec §2.4); where they meet, the value is known.
#pragma once
#include <optional>

#include "graph/graph.hpp"

namespace blobsmith {

/// The value of an output that follows from constants and static shapes alone. Only small tensors are computed.
std::optional<Tensor> known_value(Value v);

}  // namespace blobsmith
