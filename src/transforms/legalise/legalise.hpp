// Rewrites of operations that the VPU has no stage for into operations that it has: exact, checked numerically,
// reported.
#pragma once
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith {

/// Rewrites what it can and says what it did (Rewritten: "Clamp(0.2*x + 0.5, 0, 1)"), in network order. Touches what
/// compiles as it is only without quirks, and only where that makes a much smaller blob (rows.hpp).
std::vector<Remark> legalise(Graph& graph, bool quirks);

/// Takes out every FakeQuantize of what the network computes whose steps lie in one range (activations); constants
/// stay, and become the values that they were quantized to.
void strip_quantization(Graph& graph);

/// The types of operations that there is a rewrite for.
std::vector<std::string> legalised_types();

}  // namespace blobsmith
