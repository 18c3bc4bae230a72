// Numbers of the reference's node counter that shape inference takes (front-end spec §2.2). The counter shows in
// automatic names, and compared names decide the order of layers.
#pragma once
#include <cstdint>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::quirks {

/// How many numbers one inference of `n` takes, besides its own.
int64_t ids_of_inference(const Node& n);
/// The inputs whose values inference of `n` computes (a Reshape's pattern).
std::vector<int> bounded_inputs(const Node& n);

}  // namespace blobsmith::quirks
