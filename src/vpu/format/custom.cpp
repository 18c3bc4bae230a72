#include "vpu/format/custom.hpp"

namespace blobsmith::vpu {

void CustomParams::fields(FieldArchive& a) {
  for (uint32_t& v : groups) a.word("groupsPerDim", v);
  for (uint32_t& v : local) a.word("localSize", v);
  for (uint32_t& v : offset) a.word("offset", v);
  a.word("maxShaves", max_shaves);
  a.word("kernelId", kernel_id);
  a.word("inputDataCount", input_data_count);
  a.word("bufferCount", buffer_count);
  list_field(a, "parameterCount", "arguments", arguments);
}

}  // namespace blobsmith::vpu
