// hwFullyConnectedTiling (hw-tiling spec §10). A fully connected layer of 2-D or 4-D input has become a convolution
// long before; the others only fall back to software or fail.
#include "vpu/nce/passes.hpp"
#include "vpu/nce/stub.hpp"
#include "vpu/program/builders.hpp"

namespace blobsmith::vpu {
namespace {

void leave_to_software(Program& p, Stage* s) {
  s->change<StubSpec>([](StubSpec& spec) { spec.try_hw = false; });
  if (!s->get<StubSpec>().post.relu) return;
  Data* output = s->output();
  Data* before = p.add_data(s->name, output->desc);
  before->marks = output->marks;
  p.replace_output(s, 0, before);
  add_relu(p, s->name + "@ReLU", s->layer, 0.0, before, output);
}

}  // namespace

void hw_fully_connected_tiling(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!nce::is_hw_stub(*s, StageType::StubFullyConnected)) return;
    if (nce::hw_bytes(s->output()->desc) > p.resources.tiling_cmx_limit) return leave_to_software(p, s);
    // The reference swaps two descriptors when it makes the weights of such a layer, and gives up.
    throw blobsmith::cannot_compile(s->name, s->layer ? s->layer->type : "FullyConnected",
                                    "duplicateData error: while duplicating " + s->input(nce::kWeights)->name +
                                        " Const data got different desc and content byte sizes");
  });
}

}  // namespace blobsmith::vpu
