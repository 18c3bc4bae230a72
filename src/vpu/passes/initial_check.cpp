// Every stage checks the types of its data (middle-end spec §3.4). All that clash are told at once. Changes nothing.
#include "vpu/passes/passes.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {

void initial_check(Program& p) {
  std::vector<Error> errors;
  for (const Stage* s : p.stages()) {
    try {
      check_types(*s);
    } catch (const Error& e) {
      errors.push_back(e);
    }
  }
  if (!errors.empty()) throw ErrorList(std::move(errors));
}

}  // namespace blobsmith::vpu
