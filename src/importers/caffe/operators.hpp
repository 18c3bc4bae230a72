// The table of Caffe's layers: what Model Optimizer makes of them (model-optimizer spec §5.3). One file per family in
// ops/ holds the mappings and their rows; the families are listed in operators.cpp.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "importers/caffe/net.hpp"
#include "importers/common/layer_context.hpp"

namespace blobsmith::caffe {

using importers::attributes;

class Context final : public importers::LayerContext {
 public:
  Context(importers::Session& session, const importers::SourceOperator& op, const Layer& layer,
          std::string_view becomes)
      : LayerContext(session, op), layer_(layer), becomes_(becomes) {}

  const Layer& layer() const { return layer_; }
  std::string becomes() const { return std::string(becomes_); }
  /// The parameters of a name; without fields where the layer has none.
  const Message& parameters(std::string_view name) const;
  size_t output_count() const { return layer_.tops.size(); }

  bool has_blob(size_t i) const { return i < layer_.blobs.size(); }
  const Tensor& blob(size_t i) const;  ///< an error when the weights file has none
  std::vector<double> blob_values(size_t i) const;

 private:
  const Layer& layer_;
  std::string_view becomes_;
};

struct OperatorRow {
  std::string_view type;     ///< as Caffe writes it; of Python layers "Python module.layer"
  std::string_view becomes;  ///< the main operation; empty: the layer passes its input on
  std::vector<Value> (*convert)(Context&);
  std::string_view limits = {};
};

const OperatorRow* find_operator(std::string_view type);

}  // namespace blobsmith::caffe
