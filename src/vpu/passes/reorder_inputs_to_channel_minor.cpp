// Without the convolution engine, SHAVE kernels prefer channels innermost: network inputs are reordered once
// (middle-end spec §3.2).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {

void reorder_inputs_to_channel_minor(Program& p) {
  p.for_each_data([&](Data* input) {
    if (input->usage != DataUsage::Input) return;
    Data* d = p.find_data(input->marks.fp16_copy);
    if (!d) d = input;
    const int rank = d->desc.rank();
    if ((rank != 3 && rank != 4) || d->desc.order.position(Dim::C) == 0) return;
    Data* reordered = p.duplicate(d, "@intermediate", d->desc.reordered(d->desc.order.with_dim_at(Dim::C, 0)));
    p.redirect_consumers(d, reordered);
    add_reorder(p, d->name + "@reorder=" + reordered->desc.order.name(), nullptr, d, reordered);
  });
}

}  // namespace blobsmith::vpu
