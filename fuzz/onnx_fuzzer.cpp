// Any bytes as an ONNX model, in both ways of reading it; what `convert` reads is rewritten and compiled too.
#include "fuzz/survive.hpp"
#include "importers/onnx/importer.hpp"
#include "importers/onnx_native/importer.hpp"
#include "transforms/legalise/legalise.hpp"
#include "vpu/compile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  const Bytes bytes = Bytes::copy_of(std::span(data, size));
  fuzz::survive([&] {
    Graph graph = import_onnx(bytes, "fuzz.onnx", "");
    legalise(graph);
    vpu::CompileOptions options;
    options.quirks = false;
    vpu::compile(std::move(graph), options);
  });
  fuzz::survive([&] { read_onnx(bytes, "fuzz.onnx", ""); });
  return 0;
}
