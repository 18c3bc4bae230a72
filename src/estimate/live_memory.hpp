// How much memory holds values that are still needed, stage by stage.
#pragma once
#include <vector>

#include "vpu/format/blob.hpp"

namespace blobsmith::estimate {

/// Bytes while each stage runs. CMX: memory on the chip. DDR: intermediate results, inputs and outputs, no constants.
struct LiveMemory {
  std::vector<double> cmx, ddr;
};

/// A byte is live from the stage that writes it to the last one that reads it before it is written again; inputs from
/// the start, outputs to the end. Tensors whose sizes are known at run time only don't count.
LiveMemory live_memory(const vpu::Blob& blob);

}  // namespace blobsmith::estimate
