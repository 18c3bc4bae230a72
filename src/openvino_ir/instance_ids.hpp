// The number that the reference's instance counter has reached once a network is read (front-end spec §2.2).
#pragma once
#include <cstdint>

#include "graph/graph.hpp"

namespace blobsmith::ir {

/// quirk: names of nodes that transforms make hold this counter, and compared names decide the order of layers.
int64_t next_instance_id(const Graph& graph);

}  // namespace blobsmith::ir
