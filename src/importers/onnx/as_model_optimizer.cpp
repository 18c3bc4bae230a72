// The way from an ONNX file to a graph: the model as a list of operators, cut where asked, its operators converted one
// by one; then what Model Optimizer does to any network.
#include "importers/onnx/as_model_optimizer.hpp"

#include <algorithm>
#include <iterator>

#include "importers/common/session.hpp"
#include "importers/model_optimizer/cut.hpp"
#include "importers/model_optimizer/pipeline.hpp"
#include "importers/onnx/bodies.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/onnx/refusals.hpp"

namespace blobsmith {
namespace {

using importers::SourceModel;
using importers::SourceOperator;

void check_model(const onnx_file::Model& model) {
  if (model.outputs.empty()) throw Error(ErrorCode::BadOnnx, "the model has no outputs");
  const auto is_default = [](const onnx_file::Node& n) { return onnx_import::is_default_domain(n.domain); };
  if (model.opset < 1 && std::ranges::any_of(model.nodes, is_default))
    throw Error(ErrorCode::BadOnnx, "the model does not say which opset it uses");
}

SourceOperator source_operator(const onnx_file::Node& n, size_t index, int64_t opset) {
  SourceOperator op{.index = index,
                    .name = onnx_import::mo::layer_name(n),
                    .type = n.op_type,
                    .where = n.describe(opset),
                    .inputs = n.inputs,
                    .outputs = n.outputs,
                    .advice = std::string(onnx_import::why_refused(n.op_type))};
  if (!onnx_import::is_default_domain(n.domain)) op.type = n.domain + "." + n.op_type;
  op.single_outputs = n.op_type == "TopK" || n.op_type == "LSTM";
  std::ranges::move(onnx_import::captured_names(n), std::back_inserter(op.inputs));
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

Imported import_onnx_as_model_optimizer(const Bytes& bytes, const importers::FilesBeside& beside,
                                        const ImportOptions& options) {
  onnx_file::Model model = onnx_file::read_model(bytes, beside);
  check_model(model);
  SourceModel source = source_model(model);
  model_optimizer::cut(source, options);
  for (const SourceOperator& op : source.operators) {
    std::vector<std::string>& inputs = model.nodes[op.index].inputs;
    std::copy_n(op.inputs.begin(), inputs.size(), inputs.begin());
  }
  importers::Session session(std::move(source), options, importers::Framework::Onnx);
  const auto row_of = [&](const onnx_file::Node& n) {
    return onnx_import::find_operator(n.domain, n.op_type, model.opset, onnx_import::Column::ModelOptimizer);
  };
  const auto convert_node = [&](const onnx_file::Node& n) {
    const onnx_import::OperatorRow* row = row_of(n);
    if (!row) throw unsupported_layer(onnx_import::mo::layer_name(n), n.op_type).from(n.describe(model.opset));
    onnx_import::mo::Context context(session, n, model.opset, row->becomes);
    return row->as_model_optimizer(context);
  };
  onnx_import::Bodies bodies(session, model.opset, convert_node);
  const auto has_bodies = [&](const onnx_file::Node& n) { return !options.quirks && onnx_import::has_bodies(n); };
  const auto convert = [&](const SourceOperator& op) {
    const onnx_file::Node& n = model.nodes[op.index];
    return has_bodies(n) ? bodies.convert(n) : convert_node(n);
  };
  const auto is_known = [&](const SourceOperator& op) {
    const onnx_file::Node& n = model.nodes[op.index];
    return has_bodies(n) || row_of(n) != nullptr;
  };
  importers::convert_operators(session, is_known, convert);
  return model_optimizer::finish(std::move(session));
}

}  // namespace blobsmith
