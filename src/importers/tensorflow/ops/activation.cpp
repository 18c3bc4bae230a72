// Activation functions and Softmax.
#include "importers/tensorflow/operators.hpp"

namespace blobsmith::tensorflow_import {
namespace {

std::vector<Value> function(Context& c) { return {c.make(c.becomes(), {c.input(0)})}; }

std::vector<Value> relu_6(Context& c) {
  return {c.make("Clamp", {c.input(0)}, attributes({{"min", 0.0}, {"max", 6.0}}))};
}
std::vector<Value> elu(Context& c) { return {c.make("Elu", {c.input(0)}, attributes({{"alpha", 1.0}}))}; }

std::vector<Value> selu(Context& c) {
  constexpr double kAlpha = 1.6732632423543772, kLambda = 1.0507009873554805;
  const ElementType type = c.input(0).type();
  return {c.make("Selu", {c.input(0), c.number_constant(type, {1}, kAlpha), c.number_constant(type, {1}, kLambda)})};
}

std::vector<Value> leaky_relu(Context& c) {
  const Tensor slope = Tensor::reals(ElementType::f32, {1}, std::vector<double>{c.node().real("alpha", 0.2f)});
  return {c.make("PRelu", {c.input(0), c.graph().constant(slope, c.name() + "/weights")->value()})};
}

std::vector<Value> soft_sign(Context& c) {
  const Value size = c.binary("Add", c.make("Abs", {c.input(0)}, {}, Context::kNewest, "/Abs"), 1, "/Add_");
  return {c.binary("Divide", c.input(0), size)};
}

std::vector<Value> softmax(Context& c) {
  if (c.rank() < 1) c.refuse("its input has no dimensions");
  return {c.make(c.becomes(), {c.input(0)}, attributes({{"axis", c.rank() - 1}}))};
}

std::vector<Value> gelu(Context& c) {
  const std::string mode = c.node().flag("approximate", false) ? "TANH" : "ERF";
  return {c.make("Gelu", {c.input(0)}, attributes({{"approximation_mode", mode}}), 7)};
}
std::vector<Value> swish(Context& c) { return {c.make("Swish", {c.input(0)})}; }

constexpr OperatorRow kOperators[] = {
    {"Relu", "Relu", [](Context& c) -> std::vector<Value> { return {c.make("Relu", {c.input(0)})}; }},
    {"Relu6", "Clamp", relu_6},
    {"Elu", "Elu", elu},
    {"Selu", "Selu", selu},
    {"LeakyRelu", "PRelu", leaky_relu},
    {"Sigmoid", "Sigmoid", function},
    {"Tanh", "Tanh", function},
    {"Softplus", "SoftPlus", function},
    {"Softsign", "Divide", soft_sign},
    {"Mish", "Mish", function},
    {"swish_f32", "Swish", swish},
    {"Gelu", "Gelu", gelu},
    {"Softmax", "Softmax", softmax},
    {"LogSoftmax", "LogSoftmax", softmax},
};

}  // namespace

std::span<const OperatorRow> activation_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
