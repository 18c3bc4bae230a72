// The numbers that the reference's instance counter gives to nodes while a network is read (front-end spec §2.2).
#pragma once
#include "graph/graph.hpp"

namespace blobsmith::ir {

/// quirk: names of nodes that transforms make hold this counter, and compared names decide the order of layers.
/// Gives slices that state no strides their constant, which is numbered too, and sets Graph::next_id to the number of
/// nodes made so far; `compiled`: to what it is once the compiler has copied the network. Every Result gets the
/// attribute kAutomaticName otherwise.
void number_instances(Graph& graph, bool compiled);

}  // namespace blobsmith::ir
