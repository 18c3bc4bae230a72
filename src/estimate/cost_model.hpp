// Time of every stage of a blob on Myriad X, and of the whole (cost-model reference §2).
#pragma once
#include "blobsmith/estimate.hpp"
#include "estimate/constants.hpp"
#include "vpu/format/blob.hpp"

namespace blobsmith::estimate {

/// The constant that the elements of a SHAVE stage are multiplied with; Other for hardware and Copy stages too.
Constant class_of(vpu::StageType type);
/// Executors that fit the chip's 16 SHAVEs and 19 slices, at most two.
int streams_for(int shaves, int slices);
/// `streams` 0: as many as fit.
Estimate estimate(const vpu::Blob& blob, const Constants& constants = {}, int streams = 0);

}  // namespace blobsmith::estimate
