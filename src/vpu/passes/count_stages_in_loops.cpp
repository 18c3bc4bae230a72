// Tells each LoopStart how many stages its loop has (middle-end spec §3.38).
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"
#include "vpu/program/loops.hpp"

namespace blobsmith::vpu {

void count_stages_in_loops(Program& p) {
  Stage* start = nullptr;
  int64_t count = 0;
  for (Stage* s : p.stages()) {
    if (s->is(StageType::LoopStart)) {
      if (start) throw cannot_compile(*s, "loop inside a loop");
      start = s;
      count = 0;
    }
    if (!start || s->category() == StageCategory::Special) continue;
    ++count;
    if (!s->is(StageType::LoopEnd)) continue;
    start->change<LoopSpec>([&](LoopSpec& loop) { loop.stages = count; });
    start = nullptr;
  }
  ensure(start == nullptr, "loop without an end");
}

}  // namespace blobsmith::vpu
