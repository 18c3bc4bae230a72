// Any bytes as an ONNX model, in both ways of reading it.
#include <cstdint>

#include "importers/onnx/importer.hpp"
#include "importers/onnx_native/importer.hpp"

namespace {

template <class F>
void survive(F import) {
  using namespace blobsmith;
  try {
    import();
  } catch (const Error& e) {
    if (e.code() == ErrorCode::Internal) __builtin_trap();
  } catch (const ErrorList&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  const Bytes bytes = Bytes::copy_of(std::span(data, size));
  survive([&] { import_onnx(bytes, "fuzz.onnx", ""); });
  survive([&] { read_onnx(bytes, "fuzz.onnx", ""); });
  return 0;
}
