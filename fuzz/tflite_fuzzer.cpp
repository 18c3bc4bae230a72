// Any bytes as a TensorFlow Lite model.
#include "fuzz/survive.hpp"
#include "importers/tflite/importer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  fuzz::survive([&] { import_tflite(Bytes::copy_of(std::span(data, size)).aligned(16)); });
  return 0;
}
