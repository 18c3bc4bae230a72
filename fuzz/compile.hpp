// What `convert` does with a graph.
#pragma once
#include "fuzz/survive.hpp"
#include "transforms/legalise/legalise.hpp"
#include "vpu/compile.hpp"

namespace blobsmith::fuzz {

inline void compile(Graph graph) {
  legalise(graph, false);
  vpu::CompileOptions options;
  options.quirks = false;
  Diagnostics said;
  vpu::compile(std::move(graph), options, said);
}

}  // namespace blobsmith::fuzz
