#include "importers/keras/masks.hpp"

#include <algorithm>
#include <set>

namespace blobsmith::keras_import {
namespace {

const std::set<std::string_view> kByStep{"Activation",
                                         "ActivityRegularization",
                                         "AlphaDropout",
                                         "BatchNormalization",
                                         "Dense",
                                         "Dropout",
                                         "ELU",
                                         "GaussianDropout",
                                         "GaussianNoise",
                                         "LayerNormalization",
                                         "LeakyReLU",
                                         "Masking",
                                         "MultiHeadAttention",
                                         "PReLU",
                                         "ReLU",
                                         "Softmax",
                                         "SpatialDropout1D",
                                         "ThresholdedReLU",
                                         "TimeDistributed",
                                         "UnitNormalization"};
const std::set<std::string_view> kMerges{"Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"};
const std::set<std::string_view> kRecurrent{"Bidirectional", "GRU", "LSTM", "RNN", "SimpleRNN"};
const std::set<std::string_view> kHeedless{"AdditiveAttention", "Attention",          "ConvLSTM1D", "ConvLSTM2D",
                                           "ConvLSTM3D",        "MultiHeadAttention", "RNN"};

Value as_numbers(Layer& l, Value condition) {
  return l.apply("Cast", {condition}, {{"DstT", type_attribute(ElementType::f32)}}, "/mask/Cast");
}

/// 1 where x is another number.
Value other_than(Layer& l, Value x, double v) {
  if (!is_float(x.type())) x = l.apply("Cast", {x}, {{"DstT", type_attribute(ElementType::f32)}}, "/mask/floats");
  return as_numbers(l, l.apply("NotEqual", {x, l.number(v, "/mask_value")}, {}, "/mask/NotEqual"));
}

}  // namespace

Value steps_that_count(Layer& l) {
  const Value places = other_than(l, l.x(), l.real("mask_value", 0));
  return l.apply("Max", {places, l.integers_value({-1}, "/mask/axis")}, {{"keep_dims", flag_attribute(false)}},
                 "/mask/any");
}

Value Masks::of_all(Layer& l, const keras_file::Call& call) const {
  Value all;
  for (const std::string& key : call.inputs)
    if (const auto it = of_.find(key); it != of_.end())
      all = all ? l.apply("Mul", {all, it->second}, {}, "/mask/of_all") : it->second;
  return all;
}

void Masks::before(Layer& l, const keras_file::Call& call) {
  if (call.inputs.empty()) return;
  if (const auto it = of_.find(call.inputs[0]); it != of_.end()) l.mask = it->second;
  std::string_view name = call.class_name;
  std::string wrapped;
  if (name == "Bidirectional") name = wrapped = l.config().value("layer", Json::object()).value("class_name", "");
  const bool is_masked = std::ranges::any_of(call.inputs, [&](const std::string& key) { return of_.contains(key); });
  if (is_masked && kHeedless.contains(name))
    l.c.note("its mask is not used: steps that it leaves out are computed as all others");
}

void Masks::after(Layer& l, const keras_file::Call& call, const std::vector<std::string>& outputs,
                  const std::vector<Value>& values) {
  if (outputs.empty() || values.empty() || call.inputs.empty()) return;
  const std::string& name = call.class_name;
  Value mask;
  if (name == "Embedding" && l.flag("mask_zero", false)) mask = other_than(l, l.x(), 0);
  if (name == "Masking") mask = steps_that_count(l);
  if (kByStep.contains(name) && !mask) mask = l.mask;
  if (kMerges.contains(name)) mask = of_all(l, call);
  if (kRecurrent.contains(name) && values[0].shape().size() == 3) mask = l.mask;
  if (!mask || values[0].shape().size() < 2) return;
  const Shape steps(values[0].shape().begin(), values[0].shape().begin() + 2);
  if (mask.shape() == steps) of_[outputs[0]] = mask;
}

}  // namespace blobsmith::keras_import
