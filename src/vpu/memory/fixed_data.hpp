// Placement of what exists before the first stage runs: network inputs, outputs and constants (memory spec §6.2).
#pragma once
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// Forgets all placements, then places Input, Output and Const data in list order, with the data inside them. Sets the
/// attributes "ioBufferOffset" and "batch". Returns the three sizes.
Program::MemorySizes place_fixed_data(Program& program);
/// Gives everything inside `d` its location and offset.
void place_children(Data* d);
/// Bytes of a data object's own buffer; AllocationFailed when it is beyond what a blob can address.
int64_t checked_bytes(const Data& d);
/// AllocationFailed when a sum of sizes is beyond what a blob can address.
void check_addressable(int64_t bytes, const char* what);

}  // namespace blobsmith::vpu
