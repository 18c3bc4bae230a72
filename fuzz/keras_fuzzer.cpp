// The description of a Keras model inside an archive whose weights are those of no layer; and any bytes as a file.
// HDF5's own reading of damaged files is that library's affair.
#include <nlohmann/json.hpp>

#include "fuzz/survive.hpp"
#include "importers/keras/importer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  const std::string text(fuzz::text_of(data, size));
  fuzz::survive([&] { import_keras(keras_file::read_description(text), {}); });
  fuzz::survive([&] { keras_file::read_keras_archive(Bytes::copy_of(std::span(data, size))); });
  return 0;
}
