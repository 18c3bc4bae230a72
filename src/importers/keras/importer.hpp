// Keras model files -> Graph, by TensorFlow's operators (model-optimizer spec §4.3). Layers have the names of the
// model.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "importers/import.hpp"
#include "importers/keras/model.hpp"

namespace blobsmith {

/// The classes of layers that this importer knows, and the main operation that each becomes ("": it passes its input
/// on).
std::map<std::string_view, std::string_view> keras_layers();

/// .h5, .hdf5, .keras. Throws Error/ErrorList naming the layers.
Imported import_keras(const std::string& path, const ImportOptions& options = {});
Imported import_keras(keras_file::Model model, const ImportOptions& options);

}  // namespace blobsmith
