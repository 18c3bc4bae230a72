// A prototxt, a zero byte, and a caffemodel; what can be read is rewritten and compiled too.
#include "fuzz/compile.hpp"
#include "importers/caffe/as_model_optimizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  std::string_view rest = fuzz::text_of(data, size);
  const Bytes prototxt = fuzz::bytes_of(fuzz::take_text(rest)), caffemodel = fuzz::bytes_of(rest);
  for (const bool quirks : {false, true})
    fuzz::survive([&] { fuzz::compile(import_caffe(prototxt, caffemodel, {.quirks = quirks}).graph); });
  return 0;
}
