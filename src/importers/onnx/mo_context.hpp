// What the left column of the table of operators works with: an ONNX node, and a builder that names nodes as Model
// Optimizer does (model-optimizer spec §5.2).
#pragma once
#include "importers/common/layer_builder.hpp"
#include "importers/onnx/as_model_optimizer.hpp"
#include "importers/onnx/node_view.hpp"

namespace blobsmith::onnx_import::mo {

using importers::attributes;

/// The node's own name, else that of its first output that has one.
std::string layer_name(const onnx_file::Node& n);

/// The network as far as it is made.
struct Import {
  Graph graph;
  Values values;
  int64_t opset = 0;
  bool quirks = false;
  std::vector<ImportNote> notes;
};

class Context final : public NodeView, public importers::LayerBuilder {
 public:
  Context(Import& import, const onnx_file::Node& node, std::string_view becomes)
      : NodeView(node, import.opset, becomes, import.values),
        LayerBuilder(import.graph, layer_name(node), node.op_type, node.describe(import.opset)),
        import_(import) {}

  bool quirks() const { return import_.quirks; }
  /// The layer is converted differently from Model Optimizer.
  void note(std::string what) { import_.notes.push_back({name(), std::move(what)}); }
  int64_t rank(size_t i = 0) const { return static_cast<int64_t>(input(i).shape().size()); }
  /// The integers that input i is known to hold: constants, or arithmetic on static shapes; an error otherwise.
  std::vector<int64_t> constant_integers(size_t i, std::string_view what) const;

  using NodeView::refuse;

 private:
  Error refusal(std::string_view why, ErrorCode code) const override;

  Import& import_;
};

}  // namespace blobsmith::onnx_import::mo
