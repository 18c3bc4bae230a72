// Average poolings over the whole input become ReduceMean stages (middle-end spec §3.27).
#include "vpu/passes/passes.hpp"
#include "vpu/passes/pool_coverage.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

void replace_pool(Program& p, Stage* pool) {
  Data *in = pool->input(0), *out = pool->output();
  const std::string name = pool->name;
  const LayerPtr layer = pool->layer;
  p.remove(pool);
  const int rank = in->desc.rank();
  Data* axes = p.add_const(name + "@axes", DataDesc(DataType::S32, {2}), contents::int32s({rank - 1, rank - 2}));
  add_reduce(p, "ReduceMean", layer, StageType::ReduceMean, in, axes, out, true);
}

}  // namespace

void replace_with_reduce_mean(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!s->is(StageType::StubAvgPool)) return;
    const Window w = window_of(*s);
    if (pools_globally(w, s->input(0)->desc, s->output()->desc) && (w.no_pads() || s->get<StubSpec>().exclude_pad))
      replace_pool(p, s);
  });
}

}  // namespace blobsmith::vpu
