// hwConvTiling: every convolution stub that the engine can do becomes hardware stages (hw-tiling spec §7, §8).
#include "vpu/nce/conv_stages.hpp"
#include "vpu/nce/passes.hpp"
#include "vpu/nce/stub.hpp"

namespace blobsmith::vpu {

void hw_conv_tiling(Program& p) {
  const nce::TilingLimits limits = nce::limits_of(p);
  nce::HwConstantsByWeights constants;
  p.for_each_stage([&](Stage* s) {
    if (!nce::is_hw_stub(*s, StageType::StubConv)) return;
    nce::ConvGeometry g = nce::conv_geometry_of(*s);
    auto tiling = nce::tile_convolution(g, limits, s->name);
    const bool pool_apart = !tiling && g.plane.with_pool;
    if (pool_apart) {
      g.plane.with_pool = false;
      g.plane.out = g.plane.window_out;
      tiling = nce::tile_convolution(g, limits, s->name);
    }
    if (!tiling) return nce::leave_conv_to_software(p, s);
    Data* weights = s->input(1);
    nce::make_conv_stages(p, s, *tiling, pool_apart, constants);
    if (!weights->consumers().empty()) return;
    p.leave_memory(weights->content);  // now, so that the weights of a network are not held twice
    weights->content = {};
  });
}

}  // namespace blobsmith::vpu
