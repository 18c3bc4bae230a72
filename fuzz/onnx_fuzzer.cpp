// Any bytes as an ONNX model, in both ways of reading it; what `convert` reads is rewritten and compiled too.
#include "fuzz/compile.hpp"
#include "importers/onnx/as_inference_engine.hpp"
#include "importers/onnx/as_model_optimizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  const Bytes bytes = Bytes::copy_of(std::span(data, size));
  fuzz::survive([&] { fuzz::compile(import_onnx_as_model_optimizer(bytes, {}).graph); });
  fuzz::survive([&] { import_onnx_as_inference_engine(bytes, {}); });
  return 0;
}
