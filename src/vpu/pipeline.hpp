// The middle end: every pass in order.
#pragma once
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// Runs every enabled pass in order; writes the Program after each when options.dump_passes names a folder.
void run_passes(Program& program);

}  // namespace blobsmith::vpu
