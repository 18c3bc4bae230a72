// injectSw: a SHAVE or DMA stage runs beside a hardware stage, inside it, if everything still fits into CMX with their
// data alive at the same time (memory spec §5.9, middle-end spec §3.37).
#include <algorithm>

#include "vpu/memory/allocator.hpp"
#include "vpu/memory/passes.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

constexpr size_t kMaxStages = 10000;  // with more the pass is skipped, unless the option asks for it

/// The innermost LoopStart around each stage, by stage id; -1 outside of loops.
std::vector<int> innermost_loops(Program& p) {
  std::vector<int> loops(p.stage_id_end(), -1), open;
  for (const Stage* s : p.stages()) {
    if (s->is(StageType::LoopStart)) open.push_back(s->id());
    if (!open.empty()) loops[static_cast<size_t>(s->id())] = open.back();
    if (s->is(StageType::LoopEnd) && !open.empty()) open.pop_back();
  }
  return loops;
}

/// Every direct predecessor of `s` runs before position `index`.
bool ready_before(const Stage* s, int index) {
  const auto before = [&](const Stage* p) { return !p || p->index() < index; };
  return std::ranges::all_of(s->inputs(), [&](const Data* d) { return before(d->producer_stage()); }) &&
         std::ranges::all_of(s->dependency_parents(), before);
}

/// Whether the two could run at the same time, at the place of the earlier one.
bool may_run_together(const Stage* hw, const Stage* sw) {
  return sw->index() > hw->index() ? ready_before(sw, hw->index()) : ready_before(hw, sw->index());
}

/// Injects the first candidate that fits and takes it off the list.
void inject_into(Program& p, Allocator& allocator, const std::vector<int>& loops, Stage* hw,
                 std::vector<Stage*>& sw_stages) {
  const auto loop = [&](const Stage* s) { return loops[static_cast<size_t>(s->id())]; };
  p.stages();  // the positions of this moment decide who is a candidate, also after failed trials
  std::vector<Stage*> candidates;
  for (Stage* sw : sw_stages)
    if (loop(sw) == loop(hw) && may_run_together(hw, sw)) candidates.push_back(sw);
  for (Stage* sw : candidates) {
    p.inject(hw, sw);
    if (allocator.cmx_fits()) {
      std::erase(sw_stages, sw);
      return;
    }
    p.revert_injection(hw);
  }
}

}  // namespace

void inject_sw(Program& p) {
  if (p.stages().size() > kMaxStages && p.options.hw_inject_stages == Tristate::Unset) return;
  std::vector<Stage*> hw_stages, sw_stages;
  for (Stage* s : p.stages()) {
    const StageCategory c = s->category();
    if (c == StageCategory::HW)
      hw_stages.push_back(s);
    else if (c != StageCategory::Special && shave_requirement(*s) != ShaveRequirement::NeedMax)
      sw_stages.push_back(s);
  }
  const std::vector<int> loops = innermost_loops(p);
  Allocator allocator(p);
  for (Stage* hw : hw_stages) inject_into(p, allocator, loops, hw, sw_stages);
}

}  // namespace blobsmith::vpu
