// The hardware stage: a list of operations of the convolution engine (stages spec §2).
#include "vpu/format/hw_op.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

StridesRequirement requirement(const Data* d) {
  StridesRequirement r = d->desc.rank() >= 3 ? row_aligned() : StridesRequirement::any().set(0, StrideRule::Aligned);
  if (d->desc.dim(Dim::N, 1) > 1) r.set(d->desc.order.position(Dim::N), StrideRule::Compact);
  return r;
}

void hw_strides(const Stage& s, StrideRequirements& w) {
  w.inputs.at(0) = requirement(s.input(0));
  w.outputs.at(0) = requirement(s.output(0));
}

void hw_order(const Stage& s, OrderRequirements& w) {
  if (s.input(0)->desc.rank() >= 3) w.inputs.at(0) = channels_at(s.input(0)->desc.order, 2);
  if (s.output(0)->desc.rank() >= 3) w.outputs.at(0) = channels_at(s.output(0)->desc.order, 2);
}

std::vector<const Data*> buffers(const Stage& s) {
  std::vector<const Data*> r;
  for (int i = 0; i < s.own_input_count(); ++i)
    if (s.input(i)->usage != DataUsage::Fake) r.push_back(s.input(i));
  for (int i = 0; i < s.own_output_count(); ++i)
    if (s.output(i)->usage != DataUsage::Fake) r.push_back(s.output(i));
  return r;
}

constexpr StageRow kDefs[] = {
    {.type = StageType::MyriadXHwOp,
     .order = hw_order,
     .strides = hw_strides,
     .types = "FP16 FP16 FP16 FP16 -> FP16",
     .buffers = buffers},
};

}  // namespace

std::span<const StageRow> hw_op_defs() { return kDefs; }

}  // namespace blobsmith::vpu
