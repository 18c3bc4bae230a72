// How much a network computes and holds, as published tables count it.
#pragma once
#include "graph/graph.hpp"

namespace blobsmith::estimate {

struct NetworkSize {
  double macs = 0;        ///< multiply-adds of convolutions, their transposes and matrix products
  double parameters = 0;  ///< elements of real constants
  double gflops() const { return 2 * macs / 1e9; }
};

/// Bodies of loops count once.
NetworkSize size_of(const Graph& graph);

}  // namespace blobsmith::estimate
