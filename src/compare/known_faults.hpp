// Layers of which the reference compiler is known to compute something else than the model says (docs/quirks.md).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::compare {

struct Fault {
  std::string_view type;    ///< operation
  bool (*applies)(const Node&);
  std::string_view what;    ///< for people
  std::string_view row;     ///< words of its row in docs/quirks.md
  bool avoidable;           ///< convert, and compile --no-quirks, avoid it
};
std::span<const Fault> faults();

struct FaultyLayer {
  std::string layer, type, what;
  bool avoidable = false;
};
/// In the order of execution.
std::vector<FaultyLayer> find_faults(const Graph& graph);

}  // namespace blobsmith::compare
