// Layers of which the reference compiler is known to compute something else than the model says (docs/quirks.md).
#pragma once
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::comparison {

// All remarks are of the kind WrongResult.

/// In the order of execution, those in bodies of loops included.
std::vector<Remark> find_faults(const Graph& graph);
/// Those that a compilation with or without quirks leaves.
std::vector<Remark> remaining_faults(const Graph& graph, bool quirks);
/// Layers that work across the items of the batch, of a network that a blob computes item by item.
std::vector<Remark> find_batch_faults(Graph graph);

}  // namespace blobsmith::comparison
