#include "importers/onnx/operators.hpp"

#include <array>

#include "importers/onnx/as_model_optimizer.hpp"
#include "importers/onnx/refusals.hpp"

namespace blobsmith {
namespace onnx_import {

std::span<const OperatorRow> activation_operators();
std::span<const OperatorRow> attention_operators();
std::span<const OperatorRow> bit_operators();
std::span<const OperatorRow> constant_operators();
std::span<const OperatorRow> convolution_operators();
std::span<const OperatorRow> detection_operators();
std::span<const OperatorRow> element_wise_operators();
std::span<const OperatorRow> indexing_operators();
std::span<const OperatorRow> loss_operators();
std::span<const OperatorRow> machine_learning_operators();
std::span<const OperatorRow> matmul_operators();
std::span<const OperatorRow> microsoft_operators();
std::span<const OperatorRow> normalization_operators();
std::span<const OperatorRow> openvino_operators();
std::span<const OperatorRow> operators_without_domain();
std::span<const OperatorRow> pooling_operators();
std::span<const OperatorRow> quantization_operators();
std::span<const OperatorRow> quantized_microsoft_operators();
std::span<const OperatorRow> recurrent_operators();
std::span<const OperatorRow> reduction_operators();
std::span<const OperatorRow> resize_operators();
std::span<const OperatorRow> sampling_operators();
std::span<const OperatorRow> selection_operators();
std::span<const OperatorRow> shape_operators();
std::span<const OperatorRow> signal_operators();
std::span<const OperatorRow> slice_operators();
std::span<const OperatorRow> softmax_operators();

namespace {

constexpr std::string_view kOpenVino = "org.openvinotoolkit", kMicrosoft = "com.microsoft",
                           kMachineLearningDomain = "ai.onnx.ml";

struct Family {
  std::string_view domain;  ///< empty: the default one
  std::span<const OperatorRow> (*rows)();
};
constexpr std::array kFamilies{
    Family{"", activation_operators},
    Family{"", attention_operators},
    Family{"", bit_operators},
    Family{"", constant_operators},
    Family{"", convolution_operators},
    Family{"", element_wise_operators},
    Family{"", indexing_operators},
    Family{"", loss_operators},
    Family{"", matmul_operators},
    Family{"", normalization_operators},
    Family{"", operators_without_domain},
    Family{"", pooling_operators},
    Family{"", quantization_operators},
    Family{"", recurrent_operators},
    Family{"", reduction_operators},
    Family{"", resize_operators},
    Family{"", sampling_operators},
    Family{"", selection_operators},
    Family{"", shape_operators},
    Family{"", signal_operators},
    Family{"", slice_operators},
    Family{"", softmax_operators},
    Family{kMachineLearningDomain, machine_learning_operators},
    Family{kMicrosoft, microsoft_operators},
    Family{kMicrosoft, quantized_microsoft_operators},
    Family{kOpenVino, detection_operators},
    Family{kOpenVino, openvino_operators},
};

bool has(const OperatorRow& row, Column column, const Release& release) {
  if (column == Column::ModelOptimizer) return row.as_model_optimizer != nullptr;
  return row.as_inference_engine != nullptr && (!row.only_with || release.*row.only_with);
}

bool is_better(const OperatorRow& row, const OperatorRow& best, int64_t opset) {
  return row.since <= opset ? row.since > best.since || best.since > opset
                            : row.since < best.since && best.since > opset;
}

const OperatorRow* find_in(std::string_view domain, std::string_view op_type, int64_t opset, Column column,
                           const Release& release) {
  const OperatorRow* best = nullptr;
  for (const Family& family : kFamilies) {
    if (family.domain != domain) continue;
    for (const OperatorRow& row : family.rows())
      if (row.op_type == op_type && has(row, column, release) && (!best || is_better(row, *best, opset))) best = &row;
  }
  return best;
}

}  // namespace

const OperatorRow* find_operator(std::string_view domain, std::string_view op_type, int64_t opset, Column column,
                                 const Release& release) {
  if (!is_default_domain(domain)) return find_in(domain, op_type, opset, column, release);
  const OperatorRow* row = find_in({}, op_type, opset, column, release);
  // OpenVINO's own operators are also written without their domain.
  return row ? row : find_in(kOpenVino, op_type, opset, column, release);
}

}  // namespace onnx_import

std::map<std::string_view, std::string_view> onnx_refusals() {
  std::map<std::string_view, std::string_view> list;
  for (const onnx_import::Refusal& r : onnx_import::refused_operators()) list.emplace(r.op_type, r.why);
  return list;
}

std::map<std::string_view, std::string_view> onnx_form_limits() {
  std::map<std::string_view, std::string_view> list;
  for (const onnx_import::Refusal& r : onnx_import::refused_forms()) list.emplace(r.op_type, r.why);
  return list;
}

std::map<std::string, std::string_view> onnx_operators() {
  std::map<std::string, std::string_view> operators;
  for (const onnx_import::Family& family : onnx_import::kFamilies)
    for (const onnx_import::OperatorRow& row : family.rows())
      if (row.as_model_optimizer)
        operators[(family.domain == onnx_import::kMicrosoft ? std::string(family.domain) + "." : "") +
                  std::string(row.op_type)] = row.becomes;
  return operators;
}

}  // namespace blobsmith
