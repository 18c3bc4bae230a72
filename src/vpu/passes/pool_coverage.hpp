// Poolings whose window covers the whole input (middle-end spec §3.27).
#pragma once
#include "vpu/format/window.hpp"

namespace blobsmith::vpu {

/// The output is one point and the first window reaches over the whole input.
inline bool pools_globally(const Window& w, const DataDesc& in, const DataDesc& out) {
  return w.kernel_x - w.pad_left >= in.dim(Dim::W) && w.kernel_y - w.pad_top >= in.dim(Dim::H) &&
         out.dim(Dim::W) == 1 && out.dim(Dim::H) == 1;
}

}  // namespace blobsmith::vpu
