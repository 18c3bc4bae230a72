// allocateResources: the final addresses, SHAVE counts and shape records (memory spec §6).
#include "vpu/memory/allocator.hpp"
#include "vpu/memory/fixed_data.hpp"
#include "vpu/memory/passes.hpp"
#include "vpu/memory/shape_records.hpp"

namespace blobsmith::vpu {

void allocate_resources(Program& p) {
  Allocator allocator(p);
  if (const AllocationFailure failure = allocator.run()) throw_allocation_failure(p, failure);
  p.memory = allocator.sizes();
  check_addressable(p.memory.bss, "intermediate tensors");
  p.memory.blob = place_shape_records(p, p.memory.blob);
}

}  // namespace blobsmith::vpu
