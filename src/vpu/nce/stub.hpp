// What the stubs of convolutions and poolings mean to the convolution engine (middle-end spec §3, §3.19).
#pragma once
#include "vpu/nce/conv_tiling_search.hpp"
#include "vpu/nce/pool_tiling_search.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu::nce {

/// Ports of a StubConv.
inline constexpr int kData = 0, kWeights = 1, kBiases = 2, kScales = 3;

bool is_hw_stub(const Stage& s, StageType type);  ///< of this type and meant for the convolution engine
bool is_hw_pool_stub(const Stage& s);

/// Throw when the window is not one that the engine knows (one stride of at least 1, a kernel).
ConvGeometry conv_geometry_of(const Stage& stub);
PoolGeometry pool_geometry_of(const Stage& stub);

/// The convolution's own output, before a merged pooling.
DataDesc conv_output_desc(const Stage& stub);

TilingLimits limits_of(const Program& p);
/// Bytes of a data object as a hardware buffer.
int64_t hw_bytes(const DataDesc& desc);

}  // namespace blobsmith::vpu::nce
