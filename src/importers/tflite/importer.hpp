// TensorFlow Lite -> Graph, by TensorFlow's operators (model-optimizer spec §4.7). There is no reference converter:
// results are those of TensorFlow Lite's interpreter. Quantised weights become real numbers; activations are not
// rounded.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "importers/import.hpp"

namespace blobsmith {

/// The operators that this importer knows, and the operators of TensorFlow that each becomes ("": it passes its input
/// on).
std::map<std::string_view, std::string_view> tflite_operators();

/// Throws Error/ErrorList naming the operator and its number.
Imported import_tflite(const Bytes& file, const ImportOptions& options = {});

}  // namespace blobsmith
