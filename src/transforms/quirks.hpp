// Accidents of the reference's graph conversion that reach the bytes of a blob (docs/quirks.md): automatic names hold the
// value of a counter that also counts temporary nodes, and compared names decide the order of layers (front-end spec §2.2).
#pragma once
#include <cstdint>

#include "graph/graph.hpp"

namespace blobsmith::transforms::quirks {

/// How many numbers of the node counter one shape inference of `n` takes, besides its own.
int64_t ids_of_inference(const Node& n);
/// The same for a whole graph: after each pass that changed something all shapes are inferred again.
int64_t ids_of_validation(const Graph& graph);
/// The input whose value shape inference of `n` computes (a Reshape's pattern); -1 when there is none.
int bounded_input(const Node& n);
/// How many numbers it takes to fold `n`.
int64_t ids_of_folding(const Node& n);

}  // namespace blobsmith::transforms::quirks
