// Looks at all layers of a model the way the compiler does and tells every problem in one run.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "graph/graph.hpp"
#include "graph/import_problems.hpp"
#include "vpu/options/options.hpp"

namespace blobsmith::vpu {

struct CheckedLayer {
  enum class Status { Supported, Fixed, Unsupported, NotChecked };
  std::string name, type, source;
  std::vector<Shape> inputs, outputs;  ///< unknown (none) where the layer could not be read
  Status status = Status::Supported;
  std::string fix;  ///< what the layer is rewritten as
};

struct CheckProblem {
  Error error;
  int layer = -1;  ///< in CheckReport::layers; -1: of the network as a whole
};

struct CheckReport {
  std::vector<CheckedLayer> layers;    ///< in network order, without inputs, outputs and constants
  std::vector<CheckProblem> problems;  ///< in network order

  bool compiles() const { return problems.empty(); }
};

struct CheckSettings {
  bool fix = true;                                          ///< rewrite what the VPU lacks, as convert does
  std::function<CompileOptions(const Graph&)> options_for;  ///< of the network as it was read
};

/// Runs everything but the writing of the blob. Where layers fail, they are cut out and the rest is tried again, until
/// nothing new is found. `read` must give the same network each time. Throws what concerns the file or the options.
CheckReport check(const std::function<Graph(ImportProblems&)>& read, const CheckSettings& settings);

const char* to_string(CheckedLayer::Status s);

}  // namespace blobsmith::vpu
