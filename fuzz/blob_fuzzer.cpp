// Any bytes as a blob: read, described, and run when its memories are small.
#include <cstdint>

#include "blobsmith/emulator.hpp"
#include "vpu/blob/dump.hpp"
#include "vpu/blob/reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  try {
    const vpu::Blob blob = vpu::read_blob(Bytes::copy_of(std::span(data, size)));
    vpu::inspect_text(blob);
    vpu::inspect_json(blob);
    Emulator emulator(blob, {.threads = 1});
    emulator.run();
  } catch (const Error& e) {
    if (e.code() == ErrorCode::Internal) __builtin_trap();
  }
  return 0;
}
