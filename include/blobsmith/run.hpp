// One inference in one call. For many of one blob, or a look at its stages, keep an Emulator (blobsmith/emulator.hpp).
//
// Threads: calls are independent of each other; one call uses RunOptions::threads threads itself.
#pragma once
#include <string>
#include <vector>

#include "blobsmith/inputs.hpp"
#include "blobsmith/model.hpp"

namespace blobsmith {

struct RunOptions {
  InputOptions inputs{};
  int threads = 0;  ///< 0: one per processor
  Control control{};
};

struct RunResult {
  std::vector<FloatTensor> outputs;  ///< in the order of the network
  double milliseconds = 0;           ///< of the run alone
};

/// Runs a blob on this processor, from its bytes alone. Throws as Emulator does.
RunResult run_blob(const std::string& path, const RunOptions& options = {});
/// Computes a model in FP32, as its operations are defined: what a blob made of it should give. Uses the model up (read
/// it with half_precision = false for full precision). Throws ErrorList naming every layer that can't be computed.
RunResult run_model(Model model, const RunOptions& options = {});

}  // namespace blobsmith
