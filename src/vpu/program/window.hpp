// The sliding window of convolutions, deconvolutions and poolings, as it stands in the attributes of their stages
// (middle-end spec §3, "attributes of the stub stages").
#pragma once
#include "vpu/format/window.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

Window window_of(const Stage& s);
/// Sets kernelSizeX/Y, kernelStrideX/Y, padLeft/Right/Top/Bottom and, for other stages than poolings, dilationX/Y.
void set_window(Stage& s, const Window& w);

}  // namespace blobsmith::vpu
