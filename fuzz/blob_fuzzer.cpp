// Any bytes as a blob: read, described, its time estimated, and run, with memory checked, when its memories are small.
#include "emulator/access.hpp"
#include "estimate/cost_model.hpp"
#include "fuzz/survive.hpp"
#include "vpu/format/inspect.hpp"
#include "vpu/format/reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  fuzz::survive([&] {
    const vpu::Blob blob = vpu::read_blob(Bytes::copy_of(std::span(data, size)));
    vpu::inspect_text(blob);
    vpu::inspect_json(blob);
    estimate::estimate(blob);
    // Long runs find nothing that short ones do not.
    constexpr uint32_t kMostBytes = 1 << 20, kMostItems = 4;
    const vpu::BlobHeader& h = blob.header;
    if (h.inputs_size + h.outputs_size + h.bss_size > kMostBytes || h.batch_size > kMostItems) return;
    Emulator emulator = EmulatorAccess::make(blob, {.check_memory = true, .threads = 1});
    emulator.run();
    for (const TensorInfo& t : emulator.outputs()) emulator.output(t.name);
    for (const MemoryReport& r : emulator.memory_reports()) r.text();
  });
  return 0;
}
