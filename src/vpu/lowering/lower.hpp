// Graph (legacy operations) -> Program: layer order, data objects, one parser per layer type (front-end spec §6 to
// §9).
#pragma once
#include <memory>

#include "graph/graph.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// Where `declared` states no type of an output, the graph's own counts.
/// Throws ErrorList with every layer that can't be lowered, in network order.
std::unique_ptr<Program> lower(const Graph& graph, const CompileOptions& options, const Declared& declared);

}  // namespace blobsmith::vpu
