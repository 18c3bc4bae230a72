// The way from an ONNX file to a graph: the model as a list of operators, cut where asked, its operators converted one
// by one; then what Model Optimizer does to any network.
#include "importers/onnx/as_model_optimizer.hpp"

#include "importers/common/session.hpp"
#include "importers/model_optimizer/cut.hpp"
#include "importers/model_optimizer/pipeline.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith {
namespace {

using importers::SourceModel;
using importers::SourceOperator;

void check_model(const onnx_file::Model& model) {
  if (model.outputs.empty()) throw Error(ErrorCode::BadOnnx, "the model has no outputs");
  if (model.opset < 1 && !model.nodes.empty())
    throw Error(ErrorCode::BadOnnx, "the model does not say which opset it uses");
}

SourceOperator source_operator(const onnx_file::Node& n, size_t index, int64_t opset) {
  SourceOperator op{index, onnx_import::mo::layer_name(n), n.op_type, n.describe(opset), n.inputs, n.outputs};
  if (!onnx_import::is_default_domain(n.domain)) op.type = n.domain + "." + n.op_type;
  op.single_outputs = n.op_type == "TopK" || n.op_type == "LSTM";
  return op;
}

SourceModel source_model(onnx_file::Model& model) {
  SourceModel s;
  s.name = model.graph_name;
  s.constants = std::move(model.initializers);
  for (const onnx_file::ValueInfo& i : model.inputs) s.inputs.push_back({i.name, i.name, i.type, i.shape});
  for (size_t i = 0; i < model.nodes.size(); ++i)
    s.operators.push_back(source_operator(model.nodes[i], i, model.opset));
  for (const onnx_file::ValueInfo& o : model.outputs) s.outputs.push_back({o.name, o.name});
  return s;
}

}  // namespace

Imported import_onnx_as_model_optimizer(const Bytes& bytes, const std::string& folder, const ImportOptions& options) {
  onnx_file::Model model = onnx_file::read_model(bytes, folder);
  check_model(model);
  SourceModel source = source_model(model);
  model_optimizer::cut(source, options);
  for (const SourceOperator& op : source.operators) model.nodes[op.index].inputs = op.inputs;
  importers::Session session(std::move(source), options, importers::Framework::Onnx);
  const auto row_of = [&](const SourceOperator& op) {
    const onnx_file::Node& n = model.nodes[op.index];
    return onnx_import::find_operator(n.domain, n.op_type, model.opset, onnx_import::Column::ModelOptimizer);
  };
  const auto convert = [&](const SourceOperator& op) {
    const onnx_import::OperatorRow& row = *row_of(op);
    onnx_import::mo::Context context(session, model.nodes[op.index], model.opset, row.becomes);
    return row.as_model_optimizer(context);
  };
  importers::convert_operators(session, [&](const SourceOperator& op) { return row_of(op) != nullptr; }, convert);
  return model_optimizer::finish(std::move(session));
}

}  // namespace blobsmith
