// A network compiled and estimated for several numbers of SHAVEs at once.
#pragma once
#include <vector>

#include "core/control.hpp"
#include "estimate/cost_model.hpp"
#include "vpu/compile.hpp"

namespace blobsmith::estimate {

/// 1 to `most` SHAVEs with as many slices of memory, two executors while they fit. Compilations run in parallel, in as
/// many threads as the machine has. Throws what the compiler says when no number of SHAVEs compiles.
std::vector<ShaveEstimate> sweep(const vpu::Prepared& network, const vpu::CompileOptions& options,
                                 const Control& control, const Constants& constants = {}, int most = 16);
/// The entry of the highest throughput (of several within 1 %: the fewest SHAVEs).
const ShaveEstimate& best(const std::vector<ShaveEstimate>& entries);

}  // namespace blobsmith::estimate
