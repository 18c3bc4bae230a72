// Layers of which the reference compiler is known to compute something else than the model says (docs/quirks.md).
#pragma once
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::compare {

struct FaultyLayer {
  std::string layer, type, what;
  bool avoidable = false;  ///< convert, and compile --no-quirks, avoid it
  std::string text() const { return type + " \"" + layer + "\": " + what; }
};
/// In the order of execution, those in bodies of loops included.
std::vector<FaultyLayer> find_faults(const Graph& graph);
/// Those that a compilation with or without quirks leaves.
std::vector<FaultyLayer> remaining_faults(const Graph& graph, bool quirks);
/// Layers that work across the items of the batch, of a network that a blob computes item by item.
std::vector<FaultyLayer> find_batch_faults(Graph graph);

}  // namespace blobsmith::compare
