// Any bytes as a file of Kaldi, with and without its memories; what can be read is rewritten and compiled too.
#include "fuzz/compile.hpp"
#include "importers/kaldi/as_model_optimizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  const Bytes bytes = Bytes::copy_of(std::span(data, size));
  for (const bool remove : {false, true}) {
    ImportOptions options;
    options.framework.remove_memory = remove;
    fuzz::survive([&] { fuzz::compile(import_kaldi(bytes, "net", options).graph); });
  }
  return 0;
}
