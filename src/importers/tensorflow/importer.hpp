// TensorFlow -> Graph, as Model Optimizer 2021.4.2 converts it (model-optimizer spec §4.2, §5.1).
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "importers/import.hpp"
#include "importers/tensorflow/source.hpp"

namespace blobsmith {

/// The operators that this importer knows, and the main operation that each becomes ("": it passes its input on).
std::map<std::string_view, std::string_view> tensorflow_operators();

/// A frozen .pb or .pbtxt, a .meta beside its checkpoint, a SavedModel's saved_model.pb. Throws
/// Error/ErrorList naming the node and its operator.
Imported import_tensorflow(const ModelFile& file, const ImportOptions& options = {});
/// The same of a model that has been read.
Imported import_tensorflow(tensorflow_file::Source source, const ImportOptions& options);

}  // namespace blobsmith
