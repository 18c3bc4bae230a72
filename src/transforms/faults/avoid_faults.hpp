// Faults of the reference compiler that are avoided on the graph (only when quirks are off).
#pragma once
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith {

/// All of them, bodies of loops included; in the order of the rewrites. Says of each what is done (NotAsIntel).
std::vector<Remark> avoid_faults(Graph& graph);
/// Those of MVN alone, for rewrites that are to see what becomes of it.
std::vector<Remark> avoid_faults_of_moments(Graph& graph);

}  // namespace blobsmith
