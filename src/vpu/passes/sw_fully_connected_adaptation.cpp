// Fully connected stages that the engine does not take become SHAVE stages (middle-end spec §3.29).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {

void sw_fully_connected_adaptation(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!s->is(StageType::StubFullyConnected)) return;
    Data *in = s->input(0), *weights = s->input(1), *biases = s->input(2), *scales = s->input(3), *out = s->output();
    p.disconnect(s);
    add_sw_fully_connected(p, s->name, s->layer, in, weights, biases, scales, out);
    p.remove(s);
  });
}

}  // namespace blobsmith::vpu
