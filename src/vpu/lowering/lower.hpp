// Graph (legacy operations) -> Program: layer order, data objects, one parser per layer type (front-end spec §6 to
// §9).
#pragma once
#include <map>
#include <memory>
#include <string>

#include "graph/graph.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// `output_types`: of the network as it was read, by name; the graph's own where nothing is stated.
/// Throws ErrorList with every layer that can't be lowered, in network order.
std::unique_ptr<Program> lower(const Graph& graph, const CompileOptions& options, const BatchInfo& batch,
                               const std::map<std::string, ElementType>& output_types = {});

}  // namespace blobsmith::vpu
