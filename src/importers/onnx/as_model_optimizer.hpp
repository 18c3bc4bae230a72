// ONNX -> Graph, as Model Optimizer 2021.4.2 with --data_type FP16 converts it (model-optimizer spec): the same layers,
// names and constant values, so that the blob is the one that Intel's chain gives.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.hpp"
#include "graph/import_problems.hpp"

namespace blobsmith {

struct OnnxOptions {
  std::map<std::string, Shape> input_shapes;  ///< overrides; needed where the model leaves a dimension open
  bool half_precision = true;                 ///< --data_type FP16; false: constants keep the precision they have
  bool quirks = false;                        ///< reproduce Model Optimizer's known wrong results (docs/quirks.md)
  /// Where nodes that can't be converted are noted, and left out; null: they are thrown.
  ImportProblems* problems = nullptr;
};

/// A layer that is converted differently from Model Optimizer, whose way would compute something else than the model.
struct ImportNote {
  std::string layer, what;
};

/// The operators that this importer knows, and the main operation that each becomes ("": it passes its input on).
std::map<std::string_view, std::string_view> onnx_operators();

/// Throws Error/ErrorList naming the node and its operator. External data files are looked up beside the model.
Graph import_onnx_as_model_optimizer(const std::string& path, const OnnxOptions& options = {},
                                     std::vector<ImportNote>* notes = nullptr);
/// The same from memory (fuzzing, tests); `folder` is where external data files may lie ("" = none allowed).
Graph import_onnx_as_model_optimizer(Bytes model, const std::string& file_name, const std::string& folder,
                                     const OnnxOptions& options = {});

}  // namespace blobsmith
