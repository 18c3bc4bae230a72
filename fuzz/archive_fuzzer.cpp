// Archives of a model's files; the models in them have fuzzers of their own.
#include "fuzz/survive.hpp"
#include "importers/model_archive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  fuzz::survive([&] {
    const ModelFile file("model.zip", ModelFile::Contents(data, data + size));
    importers::model_in_archive(file, [](std::string_view name) -> importers::Candidate {
      if (name.ends_with(".pb")) return {1, 0, name.ends_with("saved_model.pb")};
      return {name.ends_with(".xml") ? 2 : -1, 0};
    });
  });
  return 0;
}
