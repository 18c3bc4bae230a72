// The table of MXNet's operators: what Model Optimizer makes of them (model-optimizer spec §5.4). One file per family
// in ops/ holds the mappings and their rows; the families are listed in operators.cpp.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "importers/common/layer_context.hpp"
#include "importers/mxnet/model.hpp"

namespace blobsmith::mxnet {

using importers::attributes;

class Context final : public importers::LayerContext {
 public:
  Context(importers::Session& session, const importers::SourceOperator& op, const SymbolNode& node,
          std::string_view becomes)
      : LayerContext(session, op), node_(node), becomes_(becomes) {}

  std::string becomes() const { return std::string(becomes_); }
  size_t output_count() const { return op().outputs.size(); }

  // Attributes, with the default of one that is missing or None. Others than expected are refused by name.
  bool has(const char* name) const { return !text(name, "").empty(); }
  std::string text(const char* name, const char* fallback) const;
  bool flag(const char* name, bool fallback) const;
  int64_t integer(const char* name, int64_t fallback) const;
  double real(const char* name, double fallback) const;
  std::vector<int64_t> integers(const char* name, std::vector<int64_t> fallback = {}) const;
  std::vector<double> reals(const char* name, std::vector<double> fallback = {}) const;

  /// Input i as learned numbers, an error where it is computed.
  const Tensor& parameter(size_t i) const;
  std::vector<float> parameter_values(size_t i) const { return parameter(i).to_f32(); }
  Value transpose(Value x, std::vector<int64_t> order, const std::string& suffix);

 private:
  const SymbolNode& node_;
  std::string_view becomes_;
};

struct OperatorRow {
  std::string_view type;
  std::string_view becomes;  ///< the main operation; empty: the operator passes its input on
  std::vector<Value> (*convert)(Context&);
  std::string_view limits = {};
};

const OperatorRow* find_operator(std::string_view type);

/// Boxes of detectors, whose shape is [1,2,4N] here and [1,N,4] in MXNet: marked, for the operators that join them.
inline constexpr std::string_view kAnchors = "anchors";

}  // namespace blobsmith::mxnet
