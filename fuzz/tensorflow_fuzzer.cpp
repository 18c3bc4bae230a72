// Any bytes as a TensorFlow graph, in binary and in text form, as a SavedModel, and as a checkpoint of version 1.
#include "fuzz/survive.hpp"
#include "importers/tensorflow/checkpoint.hpp"
#include "importers/tensorflow/importer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  using namespace tensorflow_file;
  const Bytes bytes = Bytes::copy_of(std::span(data, size));
  const auto none = [](const std::string&) { return std::optional<Tensor>(); };
  const auto convert = [&](tensorflow_file::Model model) {
    import_tensorflow(make_source(flatten(std::move(model), {}), none), {});
  };
  fuzz::survive([&] { convert(read_graph(bytes)); });
  fuzz::survive([&] { convert(read_graph_text(bytes)); });
  fuzz::survive([&] { convert(read_saved_model(bytes, {"serve"})); });
  fuzz::survive([&] { Checkpoint::single_file(bytes).find("v"); });
  return 0;
}
