// Looks at all layers of a model the way the compiler does and tells every problem in one run.
#pragma once
#include "blobsmith/check.hpp"
#include "core/control.hpp"
#include "core/diagnostics.hpp"
#include "graph/graph.hpp"
#include "vpu/options/options.hpp"

namespace blobsmith::vpu {

/// Runs everything but the writing of the blob. Where layers fail, they are cut out and the rest is tried again, until
/// nothing new is found. `read`: what the reader that made the graph noted and left out. `fix`: rewrite what the VPU
/// lacks, as convert does. The result has no remarks. Throws what concerns the options.
CheckResult check(Graph graph, const Diagnostics& read, const CompileOptions& options, bool fix,
                  const Control& control = {});

}  // namespace blobsmith::vpu
