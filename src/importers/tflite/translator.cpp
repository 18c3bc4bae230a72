#include "importers/tflite/translator.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "core/float16.hpp"
#include "importers/common/tensor_bytes.hpp"
#include "importers/tflite/operator_names.hpp"

namespace blobsmith::tflite_import {
namespace {

using tflite_file::Quantization;

/// Of zeros the scale may be 0, which other integers state that are not quantised; those of 16 bits always are.
bool is_quantised(const tflite_file::Tensor& t) {
  return !t.quantization.scales.empty() && t.type && is_integer(*t.type) &&
         (t.type == ElementType::i16 || std::ranges::any_of(t.quantization.scales, [](float s) { return s != 0; }));
}

/// What a computed tensor holds here.
ElementType real_type(const tflite_file::Tensor& t) {
  return is_quantised(t) || t.type == ElementType::f16 ? ElementType::f32 : *t.type;
}

/// (q - zero point) · scale, of the whole tensor or by slices of an axis.
template <class T>
Bytes scaled(std::span<const T> values, const Quantization& q, size_t slice) {
  if (slice == 0) slice = values.size();
  std::vector<float> real(values.size());
  for (size_t begin = 0, k = 0; begin < values.size(); begin += slice, ++k) {
    const size_t channel = q.scales.size() > 1 ? k % q.scales.size() : 0;
    const int64_t zero =
        q.zero_points.empty()
            ? 0
            : q.zero_points[q.zero_points.size() > 1 ? std::min(channel, q.zero_points.size() - 1) : 0];
    const float scale = q.scales[channel];
    for (size_t i = begin; i < std::min(begin + slice, values.size()); ++i)
      real[i] = static_cast<float>(static_cast<int64_t>(values[i]) - zero) * scale;
  }
  return Bytes::adopt(std::move(real));
}

Bytes dequantised_values(const tflite_file::Tensor& t, size_t slice) {
  const Tensor stored{*t.type, t.shape, t.data.aligned(byte_width(*t.type))};
  Bytes real;
  switch (*t.type) {
    case ElementType::i8: real = scaled(stored.as<int8_t>(), t.quantization, slice); break;
    case ElementType::u8: real = scaled(stored.as<uint8_t>(), t.quantization, slice); break;
    default: real = scaled(std::span<const int64_t>(stored.to_i64()), t.quantization, slice);
  }
  t.data.leave_memory();
  return real;
}

Bytes real_bytes(const tflite_file::Tensor& t, std::function<Bytes()> make) {
  return Bytes::deferred_if_many(static_cast<size_t>(element_count(t.shape)) * sizeof(float), std::move(make));
}

Tensor dequantised(const tflite_file::Tensor& t) {
  const Quantization& q = t.quantization;
  size_t slice = 0;  // all values
  const auto axis = static_cast<size_t>(q.axis);
  if (q.scales.size() > 1) {
    if (q.axis < 0 || axis >= t.shape.size() || static_cast<size_t>(t.shape[axis]) != q.scales.size())
      throw Error(ErrorCode::FileCorrupt, "tensor '" + t.name + "' has " + std::to_string(q.scales.size()) +
                                              " scales, its shape is " + to_string(t.shape));
    slice = 1;
    for (size_t i = axis + 1; i < t.shape.size(); ++i) slice *= static_cast<size_t>(t.shape[i]);
  }
  return {ElementType::f32, t.shape, real_bytes(t, [t, slice] { return dequantised_values(t, slice); })};
}

/// Large constants are made when they are read.
Tensor constant_of(const tflite_file::Tensor& t) {
  if (is_quantised(t)) return dequantised(t);
  if (t.type != ElementType::f16) return {*t.type, t.shape, importers::placed(t.data, byte_width(*t.type))};
  return {ElementType::f32, t.shape, real_bytes(t, [t] {
            const Tensor stored{ElementType::f16, t.shape, t.data.aligned(sizeof(Half))};
            Bytes r = Bytes::adopt(stored.to_f32());
            t.data.leave_memory();
            return r;
          })};
}

/// The real numbers that a tensor of 8 bits can hold.
std::optional<std::pair<float, float>> range_of(const tflite_file::Tensor& t) {
  if (!is_quantised(t) || t.quantization.scales.size() != 1 || byte_width(*t.type) != 1) return std::nullopt;
  const int64_t zero = t.quantization.zero_points.empty() ? 0 : t.quantization.zero_points[0];
  const int64_t lowest = t.type == ElementType::i8 ? -128 : 0;
  const float scale = t.quantization.scales[0];
  return std::pair(static_cast<float>(lowest - zero) * scale, static_cast<float>(lowest + 255 - zero) * scale);
}

const OperatorRow* find_row(const tflite_file::Operator& op) {
  const auto rows = operator_rows();
  const auto it = std::ranges::find_if(rows, [&](const OperatorRow& r) {
    return r.code == op.code && (op.code != tflite_file::kCustom || r.name == op.name);
  });
  return it == rows.end() ? nullptr : &*it;
}

}  // namespace

tensorflow_file::Source Translator::translate() {
  graph(model_.subgraphs.front());
  note_quantisation();
  tensorflow_file::Source s = builder_.take("model");
  s.bodies = std::move(bodies_);
  return s;
}

tensorflow_file::Body Translator::body(const tflite_file::Subgraph& g) {
  graph(g);
  tensorflow_file::Source s = builder_.take({});
  tensorflow_file::Body b;
  for (const importers::SourceInput& i : s.model.inputs) b.arguments.push_back(i.key);
  for (const importers::SourceOutput& o : s.model.outputs) b.results.push_back(o.key);
  b.model = std::move(s.model);
  b.nodes = std::move(s.nodes);
  return b;
}

std::string Translator::function(int64_t subgraph) {
  const std::string name = "subgraph " + std::to_string(subgraph);
  if (subgraph < 1 || subgraph >= std::ssize(model_.subgraphs) || running_.contains(subgraph))
    throw Error(ErrorCode::FileCorrupt, "an operator runs " + name + ", which is not there or runs that operator")
        .from(where_);
  if (bodies_.contains(name)) return name;
  std::set<int64_t> running = running_;
  running.insert(subgraph);
  Translator inner(model_, std::move(running));
  bodies_[name] = inner.body(model_.subgraphs[static_cast<size_t>(subgraph)]);
  bodies_.merge(inner.bodies_);
  return name;
}

void Translator::graph(const tflite_file::Subgraph& g) {
  graph_ = &g;
  for (const int64_t i : g.inputs) {
    const tflite_file::Tensor& t = g.tensors[static_cast<size_t>(i)];
    if (!t.type) throw Error(ErrorCode::TypeMismatch, "input '" + t.name + "' has a type that is not supported");
    keys_[i] = builder_.input(t.name, real_type(t), t.signature);
  }
  for (size_t i = 0; i < g.operators.size(); ++i) operation(i, g.operators[i]);
  for (const int64_t i : g.outputs)
    if (!joined_.contains(i)) builder_.set_output(key_of(i));
}

void Translator::operation(size_t number, const tflite_file::Operator& op) {
  op_ = &op;
  const bool named = !op.outputs.empty() && op.outputs[0] >= 0;
  name_ = named ? graph_->tensors[static_cast<size_t>(op.outputs[0])].name : op.name;
  where_ = "operator " + std::to_string(number) + " (" + op.name + ") \"" + name_ + "\"";
  builder_.set_origin(where_);
  if (const OperatorRow* row = find_row(op)) return row->translate(*this);
  // An operator that nothing knows: all of them are told at once.
  std::vector<std::string> known_inputs;
  for (const int64_t i : op.inputs)
    if (i >= 0 && keys_.contains(i)) known_inputs.push_back(keys_[i]);
  set_outputs(builder_.add(op.name, name_, known_inputs, {}, std::max<size_t>(op.outputs.size(), 1)),
              op.outputs.size());
}

std::string Translator::key_of(int64_t tensor) {
  if (const auto it = keys_.find(tensor); it != keys_.end()) return it->second;
  const tflite_file::Tensor& t = graph_->tensors.at(static_cast<size_t>(tensor));
  if (!t.type)
    throw Error(ErrorCode::TypeMismatch, "tensor '" + t.name + "' has a type that is not supported").from(where_);
  if (t.data.empty() && element_count(t.shape) != 0)
    throw Error(ErrorCode::FileCorrupt, "tensor '" + t.name + "' is read, but nothing computes it").from(where_);
  return keys_[tensor] = builder_.constant(t.name, constant_of(t));
}

std::string Translator::input(size_t i) {
  if (!has_input(i)) refuse("input " + std::to_string(i) + " is missing");
  return key_of(op_->inputs[i]);
}

std::vector<std::string> Translator::inputs() {
  std::vector<std::string> all;
  for (size_t i = 0; i < input_count(); ++i) all.push_back(input(i));
  return all;
}

const tflite_file::Tensor& Translator::input_tensor(size_t i) const {
  if (!has_input(i)) refuse("input " + std::to_string(i) + " is missing");
  return graph_->tensors[static_cast<size_t>(op_->inputs[i])];
}

const tflite_file::Tensor& Translator::output_tensor(size_t i) const {
  if (i >= op_->outputs.size() || op_->outputs[i] < 0) refuse("output " + std::to_string(i) + " is missing");
  return graph_->tensors[static_cast<size_t>(op_->outputs[i])];
}

const Tensor& Translator::constant(size_t i, const char* what) {
  const Tensor* t = builder_.find_constant(input(i));
  if (!t) refuse(std::string("its ") + what + " is not a constant");
  return *t;
}

std::string Translator::add(const std::string& tensorflow_op, std::vector<std::string> inputs,
                            NamedAttributes attributes, const std::string& suffix, size_t outputs) {
  return builder_.add(tensorflow_op, name_ + suffix, std::move(inputs), std::move(attributes), outputs);
}

void Translator::set_output(const std::string& key, size_t i) {
  if (i < op_->outputs.size() && op_->outputs[i] >= 0) keys_[op_->outputs[i]] = key;
}

void Translator::set_joined_output(const std::string& key, const std::string& how) {
  set_output(key);
  for (size_t i = 1; i < op_->outputs.size(); ++i)
    if (op_->outputs[i] >= 0) joined_.insert(op_->outputs[i]);
  notes_.push_back({Remark::Kind::NotAsIntel, name_, op_->name, where_, how});
}

void Translator::set_outputs(const std::string& first, size_t count) {
  for (size_t i = 0; i < count; ++i) set_output(SourceBuilder::output(first, i), i);
}

void Translator::set_activated(const std::string& tensorflow_op, std::vector<std::string> inputs,
                               NamedAttributes attributes, int64_t activation) {
  static constexpr const char* kActivations[] = {"", "Relu", "", "Relu6", "Tanh", "Sign"};
  if (activation == kNone) return set_output(add(tensorflow_op, std::move(inputs), std::move(attributes)));
  const std::string y = add(tensorflow_op, std::move(inputs), std::move(attributes), "/linear");
  if (activation == kReluN1To1) return set_limited(y, -1, 1);
  if (activation < 0 || activation >= std::ssize(kActivations))
    refuse("its activation is number " + std::to_string(activation));
  set_output(add(kActivations[activation], {y}));
}

void Translator::set_limited(const std::string& key, float low, float high) {
  const auto limit = [&](float v) {
    return builder_.constant(name_ + "/limit", Tensor::of(ElementType::f32, {}, std::vector<float>{v}));
  };
  set_output(add("Maximum", {add("Minimum", {key, limit(high)}, {}, "/Minimum"), limit(low)}));
}

int64_t Translator::activation_of_range() const {
  const auto range = range_of(output_tensor());
  if (!range || range->first != 0) return kNone;
  constexpr float kStep = 0.03f;  // 6 is rounded to a number of steps
  return std::fabs(range->second - 6) < kStep ? kRelu6 : kRelu;
}

void Translator::set_quantised() {
  const int64_t tensor = op_->outputs.at(0);
  const auto reads = [&](const tflite_file::Operator& o) {
    return std::ranges::find(o.inputs, tensor) != o.inputs.end();
  };
  const auto gives_back = [&](const tflite_file::Operator& o) { return reads(o) && o.name == "DEQUANTIZE"; };
  const auto range = range_of(output_tensor());
  if (!range || is_quantised(input_tensor(0)) || std::ranges::none_of(graph_->operators, gives_back))
    return set_output(input(0));
  set_limited(input(0), range->first, range->second);
}

void Translator::declare_variable(const std::string& variable) {
  if (!op_->outputs.empty()) handles_[op_->outputs[0]] = variable;
}

const std::string& Translator::variable_of(size_t i) const {
  const auto it = i < op_->inputs.size() ? handles_.find(op_->inputs[i]) : handles_.end();
  if (it == handles_.end()) refuse("it refers to no variable");
  return it->second;
}

void Translator::read_variable() {
  const std::string& variable = variable_of(0);
  const tflite_file::Tensor& t = output_tensor();
  if (!t.type) refuse("the variable '" + variable + "' has a type that is not supported");
  if (!variables_.contains(variable)) {
    variables_[variable] = builder_.input(variable, real_type(t), t.shape);
    notes_.push_back({Remark::Kind::NotAsIntel, variable, "VAR_HANDLE", where_,
                      "it keeps its value from run to run: it is an input, and its next value an output"});
  }
  set_output(variables_[variable]);
}

void Translator::assign_variable() {
  const std::string value = input(1);
  variables_[variable_of(0)] = value;
  builder_.set_output(value);
}

void Translator::refuse(const std::string& why) const { throw cannot_compile(name_, op_->name, why).from(where_); }

void Translator::note_quantisation() {
  size_t count = 0;
  for (const tflite_file::Tensor& t : graph_->tensors)
    if (t.data.empty() && is_quantised(t)) ++count;
  if (count == 0) return;
  notes_.push_back({Remark::Kind::NotAsIntel, "", "", "",
                    std::to_string(count) +
                        " activations are quantised in the file: they are computed in FP16, inputs and "
                        "outputs are the real numbers, (q - zero point) * scale"});
}

}  // namespace blobsmith::tflite_import
