// Converts that nobody reads or that change nothing disappear (middle-end spec §3.12).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

void eliminate(Program& p, Stage* convert) {
  Data* in = convert->input(0);
  Data* out = convert->output();
  if (is_intermediate(out) && out->consumers().empty() && out->shape_children().empty()) {
    p.remove(convert);
    p.remove(out);
    return;
  }
  if (in->desc.type != out->desc.type) return;
  p.disconnect(convert);
  if (out->usage == DataUsage::Output)
    add_copy(p, convert->name + "@replaced-with-copy", convert->layer, in, out, "eliminateRedundantConversions");
  else
    p.redirect_consumers(out, in);
  p.remove(convert);
}

}  // namespace

void eliminate_redundant_conversions(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (s->is(StageType::Convert)) eliminate(p, s);
  });
}

}  // namespace blobsmith::vpu
