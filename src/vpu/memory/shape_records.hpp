// Where the dimensions and strides of every data object stand behind the constants (memory spec §6.5).
#pragma once
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// Sets dims_placement, strides_placement and io_dims_upper_bound_offset. `const_bytes` is the end of the constants;
/// returns the end of the records.
int64_t place_shape_records(Program& program, int64_t const_bytes);

}  // namespace blobsmith::vpu
