// Faults of the reference compiler that are avoided on the graph (only when quirks are off).
#pragma once
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith {

struct AvoidedFault {
  std::string layer, what;  ///< what, for people
};
/// All of them, bodies of loops included; in the order of the rewrites.
std::vector<AvoidedFault> avoid_faults(Graph& graph);

}  // namespace blobsmith
