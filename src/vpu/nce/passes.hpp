// The passes of this folder: stages of the convolution engine (hw-tiling spec). Their order stands in
// vpu/pipeline.cpp.
#pragma once
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

void split_hw_depth_conv(Program&);
void split_hw_conv_and_pool(Program&);
void hw_padding(Program&);
void hw_conv_tiling(Program&);
void hw_pool_tiling(Program&);
void hw_fully_connected_tiling(Program&);
void hw_extra_split(Program&);
void finalize_hw_ops(Program&);

}  // namespace blobsmith::vpu
