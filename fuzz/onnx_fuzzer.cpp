// Any bytes as an ONNX model.
#include <cstdint>

#include "importers/onnx/importer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  try {
    import_onnx(Bytes::copy_of(std::span(data, size)), "fuzz.onnx", "");
  } catch (const Error& e) {
    if (e.code() == ErrorCode::Internal) __builtin_trap();
  } catch (const ErrorList&) {
  }
  return 0;
}
