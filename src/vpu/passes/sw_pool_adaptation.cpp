// Poolings that the engine does not take become SHAVE stages (middle-end spec §3.28).
#include "vpu/passes/passes.hpp"
#include "vpu/passes/pool_coverage.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

void adapt_pool(Program& p, Stage* stub) {
  const Window w = window_of(*stub);
  Data *in = stub->input(0), *out = stub->output();
  StageType type = StageType::AvgPool;
  if (stub->is(StageType::StubMaxPool))
    type = pools_globally(w, in->desc, out->desc) ? StageType::GlobalMaxPool : StageType::MaxPool;
  p.disconnect(stub);
  PoolParams params;
  params.set_window(w);
  params.exclude_pad = stub->get<StubSpec>().exclude_pad;
  p.add_stage(stub->name, type, stub->layer, {in}, {out})->set(params);
  p.remove(stub);
}

}  // namespace

void sw_pool_adaptation(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (s->is_any(StageType::StubMaxPool, StageType::StubAvgPool)) adapt_pool(p, s);
  });
}

}  // namespace blobsmith::vpu
