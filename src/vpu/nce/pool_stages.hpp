// The stages that take the place of a tiled pooling (hw-tiling spec §9).
#pragma once
#include "vpu/nce/pool_tiling_search.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu::nce {

/// `stub` is replaced.
void make_pool_stages(Program& p, Stage* stub, const PoolTiling& tiling);
/// The stub stays, for a SHAVE to compute; a ReLU merged into it becomes a stage again.
void leave_pool_to_software(Program& p, Stage* stub);

}  // namespace blobsmith::vpu::nce
