// ONNX -> Graph, as Model Optimizer 2021.4.2 with --data_type FP16 converts it (model-optimizer spec): the same layers,
// names and constant values, so that the blob is the one that Intel's chain gives.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "importers/common/model_files.hpp"
#include "importers/import.hpp"

namespace blobsmith {

/// The operators that this importer knows, and the main operation that each becomes ("": it passes its input on).
std::map<std::string, std::string_view> onnx_operators();
/// The operators that are refused as a whole, and why; the limits of those that are not.
std::map<std::string_view, std::string_view> onnx_refusals();
std::map<std::string_view, std::string_view> onnx_form_limits();

/// Throws Error/ErrorList naming the node and its operator. External data is read from the files `beside`.
Imported import_onnx_as_model_optimizer(const Bytes& model, const importers::FilesBeside& beside,
                                        const ImportOptions& options = {});

}  // namespace blobsmith
