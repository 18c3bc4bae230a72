// The shape of a dynamic tensor holds for what an element-wise stage makes of it (middle-end spec §3.35).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

Data* single_dynamic_input(const Stage& s) {
  Data* r = nullptr;
  for (Data* d : s.inputs()) {
    if (!d->shape_parent()) continue;
    if (r) throw cannot_compile(s, "more than one dynamic input");
    r = d;
  }
  return r;
}

void propagate(Program& p, Stage* s, Data* in, Data* out) {
  Data* shape = in->shape_parent();
  if (in->desc.dims != out->desc.dims) throw cannot_compile(*s, "dynamic input and output differ in their dimensions");
  if (!shape->marks.converted_notation) throw cannot_compile(*s, "shape of a dynamic input was not converted");
  p.connect_shape(shape, out);
  if (out->usage != DataUsage::Output) return;
  ensure(shape->producer_stage() != nullptr, "converted shape '" + shape->name + "' has no producer");
  Data* given = shape->producer_stage()->input(0);  // dimensions in the network's order
  Data* shape_output = p.add_output(out->name + "@shape", given->desc);
  add_copy(p, s->name + "@copy-shape", s->layer, given, shape_output, "propagateDynamismToOutput");
}

}  // namespace

void propagate_dynamism(Program& p) {
  if (!p.is_dynamic()) return;
  p.for_each_stage([&](Stage* s) {
    if (!s->is_any(StageType::Convert, StageType::Copy, StageType::Power, StageType::Prod)) return;
    Data* out = s->output();
    Data* in = out->shape_parent() && !s->is(StageType::Convert) ? nullptr : single_dynamic_input(*s);
    if (in && !out->shape_parent())
      propagate(p, s, in, out);
    else if (!in && s->is(StageType::Convert) && s->input(0)->usage == DataUsage::Input && out->shape_parent())
      p.connect_shape(out->shape_parent(), s->input(0));
  });
}

}  // namespace blobsmith::vpu
