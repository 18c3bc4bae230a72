// The way from an ONNX file to a graph: the model as a list of operators, cut where asked, its operators converted one
// by one; then what Model Optimizer does to any network.
#include "importers/onnx/as_model_optimizer.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "importers/common/session.hpp"
#include "importers/model_optimizer/cut.hpp"
#include "importers/model_optimizer/pipeline.hpp"
#include "importers/onnx/bodies.hpp"
#include "importers/onnx/integer_products.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/onnx/order.hpp"
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
  if (n.domain == "com.microsoft.nchwc")
    op.advice =
        "it is for one processor's layout; save the optimised model with ORT_ENABLE_EXTENDED, or use the original";
  op.single_outputs = n.op_type == "TopK" || n.op_type == "LSTM";
  std::ranges::move(onnx_import::captured_names(n), std::back_inserter(op.inputs));
  return op;
}

SourceModel source_model(onnx_file::Model& model) {
  SourceModel s;
  s.name = model.graph_name;
  s.constants = std::move(model.initializers);
  for (const onnx_file::ValueInfo& i : model.inputs) s.inputs.push_back({i.name, i.name, i.type, i.shape});
  for (const size_t i : onnx_import::order_of_computing(model))
    s.operators.push_back(source_operator(model.nodes[i], i, model.opset));
  for (const onnx_file::ValueInfo& o : model.outputs) s.outputs.push_back({o.name, o.name});
  return s;
}

/// Numbers of four bits are read as bytes, which serves for weights only.
void check_four_bits(const onnx_file::Model& model) {
  for (const onnx_file::Node& n : model.nodes)
    if (n.op_type != "DequantizeLinear" && n.op_type != "Identity" && n.op_type != "Reshape" &&
        n.op_type != "Transpose")
      for (const std::string& name : n.inputs)
        if (model.four_bits.contains(name))
          throw Error(ErrorCode::TypeMismatch,
                      "tensor '" + name + "' is of 4 bits, which DequantizeLinear alone may read")
              .from(n.describe(model.opset));
}

/// Networks that halve a picture again and again, and put the halves together, need sides that stay whole.
void check_strides(const onnx_file::Model& model, const ImportOptions& options) {
  const auto stated = model.metadata.find("stride");
  if (stated == model.metadata.end()) return;
  int64_t stride = 0;
  const std::string& text = stated->second;
  if (std::from_chars(text.data(), text.data() + text.size(), stride).ec != std::errc{} || stride < 2) return;
  for (const onnx_file::ValueInfo& i : model.inputs) {
    const auto given = options.input_shapes.find(i.name);
    const Shape shape = given != options.input_shapes.end() ? given->second
                        : options.cut.shapes.size() == 1    ? options.cut.shapes[0]
                                                            : Shape{};
    if (shape.size() != 4 || (shape[2] % stride == 0 && shape[3] % stride == 0)) continue;
    const auto sizes = [&](bool up) {
      const auto near = [&](int64_t d) { return std::max((d + (up ? stride - 1 : 0)) / stride, int64_t{1}) * stride; };
      return std::to_string(near(shape[2])) + "x" + std::to_string(near(shape[3]));
    };
    Error e(ErrorCode::ShapeMismatch, "input '" + i.name + "' can't be " + std::to_string(shape[2]) + "x" +
                                          std::to_string(shape[3]) + ": the network takes multiples of " +
                                          std::to_string(stride));
    throw e.hint("the nearest are " + sizes(false) + " and " + sizes(true) + " (height x width)");
  }
}

}  // namespace

Imported import_onnx_as_model_optimizer(const Bytes& bytes, const importers::FilesBeside& beside,
                                        const ImportOptions& options) {
  onnx_file::Model model = onnx_file::read_model(bytes, beside);
  check_model(model);
  check_strides(model, options);
  check_four_bits(model);
  if (!options.quirks) onnx_import::mo::give_products_their_scales(model);
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
  Imported imported = model_optimizer::finish(std::move(session));
  imported.metadata = std::move(model.metadata);
  return imported;
}

}  // namespace blobsmith
