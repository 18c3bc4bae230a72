// eliminateCopyStages: a hardware stage that feeds a Concat or Expand writes straight into the larger buffer, if that
// buffer then fits into CMX (memory spec §5.8, middle-end spec §3.36).
#include <algorithm>

#include "vpu/memory/allocator.hpp"
#include "vpu/memory/passes.hpp"
#include "vpu/program/builders.hpp"

namespace blobsmith::vpu {
namespace {

constexpr size_t kMaxCopies = 23000;  // with more the pass is skipped, unless the option asks for it

bool is_eliminable(const Stage& s) {
  if (!s.is(StageType::Copy) || !s.get<CopySpec>().optional) return false;
  const Data* in = s.input(0);
  const Data* out = s.output();
  if (in->parent() || !in->children().empty()) return false;
  if (!strides_satisfy(in->desc, out->strides(), in->required_strides)) return false;
  if (!strides_satisfy(out->desc, in->strides(), out->required_strides)) return false;
  return out->top_parent()->usage == DataUsage::Intermediate;
}

/// The copy is all that follows its producer, so that without it all other stages keep their order.
bool is_in_line(const Stage& copy, const Stage& producer) {
  const auto alone = [](const Stage& s) { return s.dependency_parents().empty() && s.dependency_children().empty(); };
  if (!alone(copy) || !producer.dependency_children().empty() || producer.injected() || producer.injected_into())
    return false;
  return std::ranges::all_of(producer.outputs(), [&](const Data* d) {
    return std::ranges::all_of(d->consumers(), [&](const Use& u) { return u.stage == &copy; });
  });
}

/// Removes the copy; everything comes back, except for its id, when the buffer does not fit into CMX.
void try_without(Program& p, Allocator& allocator, Stage* copy) {
  Data* in = copy->input(0);
  Data* out = copy->output();
  Data* buffer = out->top_parent();
  const Use producer = in->producer();
  ensure(producer.stage != nullptr, "optional copy '" + copy->name + "' of data without a producer");
  const MemoryType memory = buffer->memory_type;
  const std::string name = copy->name;
  const auto layer = copy->layer;
  const bool in_line = is_in_line(*copy, *producer.stage);

  size_t place = 0;
  if (in_line) {
    allocator.learn_stages();
    place = allocator.take_out(*copy);
  }
  p.remove(copy);
  buffer->set_memory_type_of_tree(MemoryType::CMX);
  p.replace_output(producer.stage, 0, out);
  const std::vector<Use> others = in->consumers();
  p.redirect_consumers(in, out);
  if (in_line ? allocator.cmx_still_fits(buffer) : allocator.cmx_fits()) return;

  p.replace_output(producer.stage, 0, in);
  for (const Use& u : others) p.replace_input(u.stage, u.port, in);
  Stage* again = add_copy(p, name, layer, in, out, "Non-eliminated copy");
  buffer->set_memory_type_of_tree(memory);
  if (in_line) allocator.put_back(again, place);
}

}  // namespace

void eliminate_copy_stages(Program& p) {
  size_t copies = 0;
  std::vector<int> candidates;  // ids
  for (const Stage* s : p.stages()) {
    copies += s->is(StageType::Copy);
    if (is_eliminable(*s)) candidates.push_back(s->id());
  }
  if (copies > kMaxCopies && p.options.copy_optimization == Tristate::Unset) return;
  Allocator allocator(p);
  for (int id : candidates)
    if (Stage* s = p.find_stage(id); s && is_eliminable(*s))
      try_without(p, allocator, s);  // an earlier one may have changed the answer
}

}  // namespace blobsmith::vpu
