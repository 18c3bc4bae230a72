#include <algorithm>
#include <array>
#include <map>

#include "blobsmith/layers.hpp"
#include "core/table.hpp"
#include "core/text.hpp"
#include "graph/ops/op.hpp"
#include "importers/caffe/as_model_optimizer.hpp"
#include "importers/kaldi/as_model_optimizer.hpp"
#include "importers/keras/importer.hpp"
#include "importers/mxnet/as_model_optimizer.hpp"
#include "importers/onnx/as_model_optimizer.hpp"
#include "importers/tensorflow/importer.hpp"
#include "importers/tflite/importer.hpp"
#include "transforms/faults/fault_table.hpp"
#include "transforms/legalise/legalise.hpp"
#include "transforms/pipeline.hpp"
#include "vpu/lowering/layer_types.hpp"
#include "vpu/lowering/parsers/layer.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith {
namespace {

using namespace vpu;

/// Operations that leave no layer.
constexpr std::array<std::string_view, 5> kWithoutLayer{"ShapeOf", "Range", "Parameter", "Constant", "Result"};

/// What the rules for outputs of unknown shape make of operations that always have one.
struct DynamicRow {
  std::string_view type, becomes;
};
constexpr std::array kDynamicForms{DynamicRow{"NonZero", "StaticShapeNonZero"},
                                   DynamicRow{"NonMaxSuppression", "StaticShapeNonMaxSuppression"}};

/// Forms that Intel's compiler refuses as well (all of them: docs of `check`).
struct LimitRow {
  std::string_view type, limits;
};
constexpr std::array kLimits{
    LimitRow{"PRelu", "the slope must be constant: one value or one per channel"},
    LimitRow{"GreaterEqual", "integers, or as a network output"},
    LimitRow{"LessEqual", "only as a network output"},
    LimitRow{"NotEqual", "only as a network output"},
    LimitRow{"LogicalAnd", "input and output of one type"},
    LimitRow{"LogicalNot", "input and output of one type"},
    LimitRow{"LogicalOr", "only on boolean network inputs given as FP16 or U8"},
    LimitRow{"LogicalXor", "only on boolean network inputs given as FP16 or U8"},
    LimitRow{"Convolution", "constant weights; 3-D only with a bias"},
    LimitRow{"GroupConvolution", "2-D"},
    LimitRow{"ConvolutionBackpropData", "2-D"},
    LimitRow{"GroupConvolutionBackpropData", "2-D"},
    LimitRow{"MatMul", "2 to 4 dimensions"},
    LimitRow{"LRN", "over the channels or over all spatial axes"},
    LimitRow{"MVN", "opset 6; `compile`: 3 or 4 dimensions, over the width and not over the batch"},
    LimitRow{"Transpose", "the order must be given"},
    LimitRow{"Softmax", "up to 5 dimensions"},
    LimitRow{"Gather", "constant axis"},
    LimitRow{"ScatterUpdate", "updates of the input's size along all other axes"},
    LimitRow{"Tile", "no more repeats than dimensions"},
    LimitRow{"Pad", "3 or 4 dimensions, nothing negative"},
    LimitRow{"ReverseSequence", "lengths would have to be FP16: refused in practice"},
    LimitRow{"Range", "of constants"},
    LimitRow{"ExtractImagePatches", "sizes equal to strides, rates 1"},
    LimitRow{"Interpolate",
             "batch and channels unchanged; `compile`: nearest and linear without padding; `convert`: cubic, antialias "
             "and padding too"},
    LimitRow{"NonMaxSuppression", "the indices only, no soft suppression"},
    LimitRow{"CTCGreedyDecoder", "ctc_merge_repeated = 1"},
    LimitRow{"DeformablePSROIPooling", "without offsets; executed as PSROIPooling"},
    LimitRow{"ExperimentalDetectronDetectionOutput", "all outputs used"},
    LimitRow{"ExperimentalDetectronROIFeatureExtractor", "both outputs used"},
    LimitRow{"LSTMSequence", "opset 5; `compile`: all three outputs used"},
    LimitRow{"LSTMCell", "`compile`: sigmoid, tanh, tanh; no clip; `convert`: relu, hardsigmoid and clip too"},
    LimitRow{"TensorIterator", "a constant number of iterations"},
    LimitRow{"Loop", "a constant number of iterations, nothing carried over"},
};

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> r;
  while (!text.empty()) {
    const size_t n = std::min(text.find(' '), text.size());
    if (n) r.emplace_back(text.substr(0, n));
    text.remove_prefix(std::min(n + 1, text.size()));
  }
  return r;
}

std::string layer_of(std::string_view type) {
  Node n;
  n.type = type;
  if (const std::string_view wanted = wanted_conversion(n); !wanted.empty()) n.type = wanted;
  return std::string(layer_type(n));
}

/// Types of operations or layers that an operation ends as; supported is what becomes of supported ones.
std::string_view forms_of(std::string_view type) {
  if (const std::string_view converted = conversion_of(type); !converted.empty()) return converted;
  const DynamicRow* dynamic = find_row(kDynamicForms, type, &DynamicRow::type);
  return dynamic ? dynamic->becomes : type;
}

/// Whether the lowering has a parser for what an operation ends as, and what that is.
std::pair<bool, std::string> end_of(std::string_view type) {
  if (std::ranges::find(kWithoutLayer, type) != kWithoutLayer.end()) return {true, "(no layer)"};
  bool all = true;
  std::string text;
  for (const std::string& part : words(forms_of(type))) {
    const std::string name = layer_of(part);
    all = all && find_parser(name) != nullptr;
    if (text != name && !text.ends_with(", " + name)) text += (text.empty() ? "" : ", ") + name;
  }
  return {all, text};
}

SupportedLayer support_of(std::string_view type) {
  SupportedLayer l{std::string(type), {}, Support::No, {}, {}};
  const auto [supported, becomes] = end_of(type);
  const std::vector<std::string> legalised = legalised_types();
  if (supported)
    l.support = Support::Yes, l.becomes = becomes;
  else if (std::ranges::find(legalised, type) != legalised.end())
    l.support = Support::ByConvert;
  if (const auto* limit = find_row(kLimits, type, &LimitRow::type)) l.limits = limit->limits;
  return l;
}

std::string opsets_text(int first, int last) {
  return first == last ? std::to_string(first) : std::to_string(first) + "-" + std::to_string(last);
}

void sort_by_name(std::vector<SupportedLayer>& rows) {
  std::ranges::sort(rows, {}, [](const SupportedLayer& l) { return lower_case(l.name); });
}

}  // namespace

std::vector<SupportedLayer> supported_openvino() {
  std::map<std::string, std::pair<int, int>> opsets;
  for (const ops::OpRow* op : ops::all_ops()) {
    if (op->opsets.first == 0) continue;  // made by conversions only
    auto [it, is_new] = opsets.try_emplace(std::string(op->type), op->opsets.first, op->opsets.last);
    it->second = {std::min(it->second.first, op->opsets.first), std::max(it->second.second, op->opsets.last)};
  }
  std::vector<SupportedLayer> rows;
  for (const auto& [type, range] : opsets) {
    rows.push_back(support_of(type));
    rows.back().versions = opsets_text(range.first, range.second);
  }
  sort_by_name(rows);
  return rows;
}

namespace {

template <class Operators>
std::vector<SupportedLayer> supported_operators(const Operators& operators) {
  std::vector<SupportedLayer> rows;
  for (const auto& [op, operation] : operators) {
    rows.push_back(operation.empty() ? SupportedLayer{{}, {}, Support::Yes, "(its input)", {}} : support_of(operation));
    rows.back().name = op;
    if (!operation.empty()) rows.back().becomes = operation;
  }
  sort_by_name(rows);
  return rows;
}

/// Operators that are spelled in TensorFlow's.
std::map<std::string_view, std::string_view> through_tensorflow(
    std::map<std::string_view, std::string_view> operators) {
  const std::map<std::string_view, std::string_view> tensorflow = tensorflow_operators();
  for (auto& [op, becomes] : operators)
    if (const auto it = tensorflow.find(becomes); it != tensorflow.end()) becomes = it->second;
  return operators;
}

}  // namespace

std::vector<SupportedLayer> supported_onnx() {
  std::vector<SupportedLayer> rows = supported_operators(onnx_operators());
  for (const auto& [op, limits] : onnx_form_limits())
    if (const auto it = std::ranges::find(rows, op, &SupportedLayer::name); it != rows.end())
      it->limits = limits;
    else
      rows.push_back({std::string(op), {}, Support::ByConvert, {}, std::string(limits)});
  for (const auto& [op, why] : onnx_refusals())
    rows.push_back({std::string(op), {}, Support::No, {}, std::string(why)});
  sort_by_name(rows);
  return rows;
}
std::vector<SupportedLayer> supported_tensorflow() { return supported_operators(tensorflow_operators()); }
std::vector<SupportedLayer> supported_tflite() { return supported_operators(through_tensorflow(tflite_operators())); }
std::vector<SupportedLayer> supported_keras() { return supported_operators(through_tensorflow(keras_layers())); }

namespace {

std::vector<SupportedLayer> supported_by(const std::vector<FrameworkOperator>& operators) {
  std::vector<SupportedLayer> rows;
  for (const FrameworkOperator& op : operators) {
    SupportedLayer l =
        op.becomes.empty() ? SupportedLayer{{}, {}, Support::Yes, "(its input)", {}} : support_of(op.becomes);
    if (!op.becomes.empty()) l.becomes = op.becomes;
    l.name = op.name;
    l.limits = op.limits;
    rows.push_back(std::move(l));
  }
  sort_by_name(rows);
  return rows;
}

}  // namespace

std::vector<SupportedLayer> supported_caffe() { return supported_by(caffe_operators()); }
std::vector<SupportedLayer> supported_kaldi() { return supported_by(kaldi_operators()); }
std::vector<SupportedLayer> supported_mxnet() { return supported_by(mxnet_operators()); }

std::string known_faults_markdown() { return transforms::fault_table(); }

std::vector<SupportedLayer> supported_vpu() {
  std::vector<SupportedLayer> rows;
  for (std::string_view type : parsed_layer_types()) rows.push_back({std::string(type), {}, Support::Yes, {}, {}});
  sort_by_name(rows);
  return rows;
}

std::vector<SupportedLayer> stage_types() {
  std::vector<SupportedLayer> rows;
  const auto add = [&](StageType type, const char* name, int id) {
    if (id < 0) return;  // never in a blob
    constexpr const char* kCategories[] = {"", "hardware", "DMA", "SHAVE"};
    rows.push_back({name,
                    std::to_string(id),
                    find_stage_def(type) ? Support::Yes : Support::No,
                    kCategories[static_cast<size_t>(category(type))],
                    {}});
  };
#define X(name, id) add(StageType::name, #name, id);
  BLOBSMITH_STAGE_TYPES(X)
#undef X
  return rows;
}

const char* to_string(Support s) {
  switch (s) {
    case Support::Yes: return "yes";
    case Support::ByConvert: return "by convert";
    case Support::No: return "no";
  }
  return "?";
}

}  // namespace blobsmith
