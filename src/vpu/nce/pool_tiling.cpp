// hwPoolTiling: every pooling stub that the engine can do becomes hardware stages (hw-tiling spec §9).
#include "vpu/nce/passes.hpp"
#include "vpu/nce/pool_stages.hpp"
#include "vpu/nce/stub.hpp"

namespace blobsmith::vpu {

void hw_pool_tiling(Program& p) {
  const nce::TilingLimits limits = nce::limits_of(p);
  p.for_each_stage([&](Stage* s) {
    if (!nce::is_hw_pool_stub(*s)) return;
    if (const auto tiling = nce::tile_pooling(nce::pool_geometry_of(*s), limits, s->name))
      nce::make_pool_stages(p, s, *tiling);
    else
      nce::leave_pool_to_software(p, s);
  });
}

}  // namespace blobsmith::vpu
