// What the left column of the table of operators works with: an ONNX node, and a builder that names nodes as Model
// Optimizer does (model-optimizer spec §5.2).
#pragma once
#include "importers/common/layer_builder.hpp"
#include "importers/common/session.hpp"
#include "importers/onnx/node_view.hpp"

namespace blobsmith::onnx_import::mo {

using importers::attributes;

/// The node's own name, else that of its first output that has one.
std::string layer_name(const onnx_file::Node& n);

class Context final : public NodeView, public importers::LayerBuilder {
 public:
  Context(importers::Session& session, const onnx_file::Node& node, int64_t opset, std::string_view becomes)
      : NodeView(node, opset, becomes, session.values),
        LayerBuilder(session.graph, layer_name(node), node.op_type, node.describe(opset)),
        session_(session) {}

  bool quirks() const { return session_.options.quirks; }
  bool strips_quantization() const { return session_.options.strip_quantization; }
  /// Refuses a quantized input of what computes with such numbers: without rounding it would be another number.
  void want_rounding(size_t i) const;
  /// The layer is converted differently from Model Optimizer.
  void note(std::string what) {
    session_.notes.push_back({Remark::Kind::NotAsIntel, name(), type(), source(), std::move(what)});
  }
  /// Output i is one of the network.
  bool is_network_output(size_t i) const;
  /// What another operator makes of these values, with this one's attributes.
  std::vector<Value> convert_as(const std::string& op_type, const std::vector<Value>& inputs);
  int64_t rank(size_t i = 0) const { return static_cast<int64_t>(input(i).shape().size()); }
  /// The integers that input i is known to hold: constants, or arithmetic on static shapes; an error otherwise.
  std::vector<int64_t> constant_integers(size_t i, std::string_view what) const;

  using NodeView::refuse;

 private:
  Error refusal(std::string_view why, ErrorCode code) const override;

  importers::Session& session_;
};

}  // namespace blobsmith::onnx_import::mo
