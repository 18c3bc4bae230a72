// When the data that want CMX don't fit: move those that are there at the moment of the failure to DDR (memory spec
// §5.5).
#pragma once
#include "vpu/memory/allocator.hpp"

namespace blobsmith::vpu {

/// Gives every reader of the data that hold CMX a copy in DDR, so that the originals live only until their copy. `live`
/// is what the allocator held when it failed at `failed`, newest first. Returns false when there was nothing left to
/// copy.
bool spill_to_ddr(Program& program, const std::vector<Data*>& live, const Stage& failed);
/// True for the Copy stages that spill_to_ddr makes.
bool is_spill(const Stage& s);

}  // namespace blobsmith::vpu
