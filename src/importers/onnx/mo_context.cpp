#include "importers/onnx/mo_context.hpp"

#include <algorithm>

#include "graph/ops/known_value.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import::mo {

std::string layer_name(const onnx_file::Node& n) {
  if (!n.name.empty()) return n.name;
  const auto named = std::ranges::find_if(n.outputs, [](const std::string& o) { return !o.empty(); });
  return named == n.outputs.end() ? std::string() : *named;
}

std::vector<int64_t> Context::constant_integers(size_t i, std::string_view what) const {
  const auto t = known_value(input(i));
  if (!t) refuse("its " + std::string(what) + " is not a constant");
  return t->to_i64();
}

bool Context::is_network_output(size_t i) const {
  return std::ranges::any_of(session_.source.outputs,
                             [&](const importers::SourceOutput& o) { return o.key == node().outputs.at(i); });
}

std::vector<Value> Context::convert_as(const std::string& op_type, const std::vector<Value>& inputs) {
  const OperatorRow* row = find_operator({}, op_type, opset(), Column::ModelOptimizer);
  ensure(row != nullptr, "there is no operator " + op_type);
  onnx_file::Node n = node();
  n.name = name() + "/" + op_type;
  n.op_type = op_type;
  n.domain.clear();
  n.inputs.clear();
  for (size_t i = 0; i < inputs.size(); ++i) {
    n.inputs.push_back(inputs[i] ? n.name + ":" + std::to_string(i) : std::string());
    if (inputs[i]) session_.values[n.inputs.back()] = inputs[i];
  }
  Context inner(session_, n, opset(), row->becomes);
  return row->as_model_optimizer(inner);
}

void Context::want_rounding(size_t i) const {
  if (strips_quantization() && !known_value(input(i)))
    refuse("it computes with quantized numbers, so that --strip-quant can't leave their rounding out");
}

Error Context::refusal(std::string_view why, ErrorCode code) const {
  return code == ErrorCode::UnsupportedLayer ? LayerBuilder::refusal(why) : Error(code, std::string(why));
}

}  // namespace blobsmith::onnx_import::mo
