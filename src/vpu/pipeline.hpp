// The middle end: every pass in order.
#pragma once
#include <string>

#include "core/control.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// Runs every enabled pass in order; writes the Program after each into `dump_folder` ("" = not). Throws Cancelled
/// between passes.
void run_passes(Program& program, const std::string& dump_folder = {}, const Control& control = {});

}  // namespace blobsmith::vpu
