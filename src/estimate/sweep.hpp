// A network compiled and estimated for several numbers of SHAVEs at once.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "estimate/cost_model.hpp"
#include "graph/graph.hpp"
#include "vpu/options/options.hpp"

namespace blobsmith::estimate {

struct SweepEntry {
  int shaves = 0;
  std::string error;  ///< why there is no estimate; empty = there is one
  Estimate estimate;
};

/// `network` gives the network anew, in any thread; compiling uses it up.
/// 1 to `most` SHAVEs with as many slices of memory, two executors while they fit. Compilations run in parallel, in as
/// many threads as the machine has. Throws what the compiler says when no number of SHAVEs compiles.
std::vector<SweepEntry> sweep(const std::function<Graph()>& network, const vpu::CompileOptions& options,
                              const Constants& constants = {}, int most = 16);
/// The entry of the highest throughput (of several within 1 %: the fewest SHAVEs).
const SweepEntry& best(const std::vector<SweepEntry>& entries);

}  // namespace blobsmith::estimate
