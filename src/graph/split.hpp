// Cuts a graph where nodes can't be compiled: what the chip computes, and what a host computes before and after it,
// each as a graph of its own. Levels as in importers/onnx/split.hpp: how many of the refused nodes lie on a way to a
// node, at most. The chip's part is the level with the most weights; it has none of the refused.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith {

struct GraphParts {
  Graph before, chip, after;  ///< without results where there is nothing to compute
};

/// `refused`: nodes of the graph. What goes from one part to another is a Result of the one and a Parameter of the
/// other, of the same name. Nodes that need no Parameter may be in several parts.
GraphParts split(const Graph& graph, const std::set<const Node*>& refused);

/// The nodes that read what one of `from` gives, directly or by way of others; with those.
std::set<const Node*> nodes_behind(const Graph& graph, const std::vector<const Node*>& from);

}  // namespace blobsmith
