// Takes a node out of a graph: what it computes comes from outside from then on, what only it read leaves the network.
// For models of which some layers can't be converted and the others are to be looked at all the same.
#pragma once
#include "graph/graph.hpp"

namespace blobsmith {

/// The new Parameters have the node's name (".k" behind it for one of several outputs), the new Results read its
/// producers.
void cut(Graph& graph, Node* n);

}  // namespace blobsmith
