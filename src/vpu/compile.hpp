// The compiler as one function.
#pragma once
#include <string>
#include <vector>

#include "core/chunked_bytes.hpp"
#include "graph/graph.hpp"
#include "vpu/blob/trace.hpp"
#include "vpu/options/options.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// One input or output of a blob.
struct BlobPort {
  std::string name;
  DataDesc desc;
};

struct CompileReport {
  int layers = 0, stages = 0;
  std::vector<BlobPort> inputs, outputs;  ///< in the blob's order
  std::vector<Program::Avoided> avoided;
  std::vector<TracedTensor> tensors;  ///< where the blob holds the network's tensors
};

/// A network -> the bytes of a MyriadX blob (container 6.0). Throws Error or ErrorList.
ChunkedBytes compile(Graph graph, const CompileOptions& options, CompileReport* report = nullptr);

}  // namespace blobsmith::vpu
