// A blob against its model: every tensor that the blob holds, as a whole or in parts, beside what the reference
// executor computes.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "blobsmith/compare.hpp"
#include "blobsmith/emulator.hpp"
#include "reference/executor.hpp"
#include "vpu/blob/trace.hpp"

namespace blobsmith::comparison {

inline constexpr double kLargestHalf = 65504, kSmallestNormalHalf = 0x1p-14;  ///< of FP16

struct Settings {
  double tolerance = 0.02;  ///< of the relative error
  /// Errors below it are within, however large in relation: what FP16 leaves of values around zero.
  double absolute = 1e-3;
};

LayerResult measure(const FloatTensor& blob, std::span<const float> model, const Settings& settings);

/// Runs both, the model on what the blob's inputs hold. `tensors` may be empty: then only the outputs are compared.
Comparison compare(Emulator& emulator, const std::vector<vpu::TracedTensor>& tensors, reference::Executor& executor,
                   const Settings& settings, const Control& control = {});

}  // namespace blobsmith::comparison
