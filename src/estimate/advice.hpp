// What could make a stage faster, where there is something.
#pragma once
#include <string>

#include "estimate/cost_model.hpp"

namespace blobsmith::estimate {

/// One sentence; empty when there is nothing to say. `stage` is one of the blob's, `c` its times.
std::string advice(const vpu::Blob& blob, const vpu::BlobStage& stage, const StageEstimate& c);

}  // namespace blobsmith::estimate
