// The numbers that the reference's instance counter gives to nodes while a network is read (front-end spec §2.2).
#pragma once
#include <cstdint>

#include "graph/graph.hpp"

namespace blobsmith::ir {

/// quirk: names of nodes that transforms make hold this counter, and compared names decide the order of layers.
/// Gives slices that state no strides their constant, which is numbered too, and sets Graph::next_id.
void number_instances(Graph& graph);

}  // namespace blobsmith::ir
