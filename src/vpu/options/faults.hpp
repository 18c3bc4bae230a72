// Whether a known wrong result of Intel's compiler is reproduced, asked at the place where it arises.
#pragma once
#include "core/fault.hpp"
#include "vpu/options/options.hpp"

namespace blobsmith::vpu {

/// One switch for all so far.
inline bool reproduces(const PassOptions& options, Fault) { return options.quirks; }

}  // namespace blobsmith::vpu
