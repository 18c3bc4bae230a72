// The compiler as one function.
#pragma once
#include <cstdint>
#include <vector>

#include "graph/graph.hpp"
#include "vpu/options.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

struct CompileReport {
  int layers = 0, stages = 0;
  std::vector<Program::Avoided> avoided;
};

/// A network -> the bytes of a MyriadX blob (container 6.0). Throws Error or ErrorList.
std::vector<uint8_t> compile(Graph graph, const CompileOptions& options, CompileReport* report = nullptr);

}  // namespace blobsmith::vpu
