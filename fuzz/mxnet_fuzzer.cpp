// A symbol file, a zero byte, and parameters; what can be read is rewritten and compiled too.
#include "fuzz/compile.hpp"
#include "importers/mxnet/as_model_optimizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  std::string_view rest = fuzz::text_of(data, size);
  const Bytes symbol = fuzz::bytes_of(fuzz::take_text(rest)), parameters = fuzz::bytes_of(rest);
  for (const bool quirks : {false, true})
    fuzz::survive([&] {
      fuzz::compile(
          import_mxnet(symbol, parameters, "net", {.input_shapes = {{"data", {1, 3, 8, 8}}}, .quirks = quirks}).graph);
    });
  return 0;
}
