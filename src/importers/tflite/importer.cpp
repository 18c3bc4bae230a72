#include "importers/tflite/importer.hpp"

#include "importers/tensorflow/importer.hpp"
#include "importers/tflite/translator.hpp"

namespace blobsmith {

Imported import_tflite(const Bytes& file, const ImportOptions& options) {
  const tflite_file::Model model = tflite_file::read_model(file);
  tflite_import::Translator translator(model);
  tensorflow_file::Source source = translator.translate();
  file.leave_memory();
  Imported imported = import_tensorflow(std::move(source), options);
  imported.notes.insert(imported.notes.end(), translator.notes().begin(), translator.notes().end());
  return imported;
}

}  // namespace blobsmith
