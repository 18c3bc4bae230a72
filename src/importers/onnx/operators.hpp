// The table of ONNX operators: what each of Intel's two importers makes of them, side by side. One file per family in
// ops/ holds the mappings and their rows; the families are listed in operators.cpp.
//
// The left column follows Model Optimizer (`convert`): nodes have the names of the IR. The right one follows the
// importer inside Intel's compiler (`compile`): nodes have automatic names with numbers. Their results differ, down to
// the bytes of the blob (model-optimizer spec §0.4), so that neither can serve for the other.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "core/release.hpp"
#include "importers/onnx/ie_context.hpp"
#include "importers/onnx/mo_context.hpp"

namespace blobsmith::onnx_import {

struct OperatorRow {
  std::string_view op_type;
  int since;                 ///< the first opset of this meaning
  std::string_view becomes;  ///< the main operation; empty: the operator passes its input on
  /// The outputs of the ONNX node; no value for what is not computed. Null: the importer does not know the operator.
  std::vector<Value> (*as_model_optimizer)(mo::Context&);
  std::vector<Value> (*as_inference_engine)(ie::Context&);
  /// The switch of releases whose Inference Engine knows the row; null: all of them.
  bool Release::* only_with = nullptr;
};

enum class Column { ModelOptimizer, InferenceEngine };

/// The row with the highest `since` that the opset reaches, else the first one; null when the column has none.
const OperatorRow* find_operator(std::string_view domain, std::string_view op_type, int64_t opset, Column column,
                                 const Release& release = kRelease2021);

}  // namespace blobsmith::onnx_import
