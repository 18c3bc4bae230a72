// The table of Kaldi's components: what Model Optimizer makes of them (model-optimizer spec §4.5).
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "importers/common/layer_context.hpp"
#include "importers/kaldi/network.hpp"

namespace blobsmith::kaldi {

using importers::attributes;

class Context final : public importers::LayerContext {
 public:
  Context(importers::Session& session, const importers::SourceOperator& op, const Layer& layer)
      : LayerContext(session, op), layer_(layer) {}

  const Layer& layer() const { return layer_; }
  const Component& component() const;
  int64_t columns() const { return shape().size() == 2 ? shape()[1] : 0; }

  /// x · weights (as many rows as outputs), plus a bias; named after the layer, or it and a suffix.
  Value affine(Value x, const Tensor& weights, const Tensor* bias, const std::string& suffix = {});
  /// Columns of x.
  Value crop(Value x, int64_t begin, int64_t length, const std::string& suffix);

 private:
  const Layer& layer_;
};

struct OperatorRow {
  std::string_view type;     ///< of the component, in small letters
  std::string_view becomes;  ///< the main operation; empty: the component passes its input on
  std::vector<Value> (*convert)(Context&);
  std::string_view limits = {};
};

const OperatorRow* find_operator(std::string_view type);
/// What is no component: Append, Sum, memories.
std::vector<Value> convert_structure(Context& c);

std::span<const OperatorRow> convolution_operators();
std::span<const OperatorRow> recurrent_operators();

}  // namespace blobsmith::kaldi
