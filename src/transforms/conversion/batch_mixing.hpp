// Which layers work across the items of a batch. Such a network can't be computed item by item.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::transforms {

/// The shapes of all values of a graph at one time.
using ShapesOfNodes = std::map<const Node*, std::vector<Shape>>;
ShapesOfNodes shapes_of_nodes(const Graph& graph);

/// The layers of `graph`, which now has one item, that would mix items of the batch that it had when its shapes were
/// `before`; in order. The axes of the batch are those that became `batch` times shorter.
std::vector<const Node*> layers_across_batch(const Graph& graph, const ShapesOfNodes& before, int64_t batch);

}  // namespace blobsmith::transforms
