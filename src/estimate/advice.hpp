// What could make a stage faster, where there is something.
#pragma once
#include <string>

#include "estimate/cost_model.hpp"

namespace blobsmith::estimate {

/// One sentence; empty when there is nothing to say. `index` is the stage's in blob.stages and estimate.stages.
std::string advice(const vpu::Blob& blob, const Estimate& estimate, size_t index);

}  // namespace blobsmith::estimate
