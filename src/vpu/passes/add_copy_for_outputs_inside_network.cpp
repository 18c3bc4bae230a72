// A network output that is read again inside the network becomes a copy of the value (middle-end spec §3.3).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {

void add_copy_for_outputs_inside_network(Program& p) {
  p.for_each_data([&](Data* out) {
    if (out->usage != DataUsage::Output || out->consumers().empty()) return;
    if (!out->shape_children().empty())
      throw Error(ErrorCode::BadGraph,
                  "output '" + out->name + "' describes the shape of another tensor and is read inside the network");
    Data* inner = p.duplicate(out, "@intermediate");
    const Use producer = out->producer();
    ensure(producer.stage != nullptr, "network output '" + out->name + "' has no producer");
    p.replace_output(producer.stage, producer.port, inner);
    p.redirect_consumers(out, inner);
    add_copy(p, out->name + "@copy-to-output", nullptr, inner, out, "addCopyForOutputsInsideNetwork");
  });
}

}  // namespace blobsmith::vpu
