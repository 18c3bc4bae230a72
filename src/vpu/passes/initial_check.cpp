// Every stage checks the types of its data (middle-end spec §3.4). Changes nothing.
#include "vpu/passes/passes.hpp"
#include "vpu/stages/stage_def.hpp"

namespace blobsmith::vpu {

void initial_check(Program& p) {
  for (const Stage* s : p.stages()) check_types(*s);
}

}  // namespace blobsmith::vpu
