// Functions of single values, and softmaxes.
#include <cmath>

#include "importers/mxnet/operators.hpp"

namespace blobsmith::mxnet {
namespace {

std::vector<Value> unary(Context& c) { return {c.make(c.becomes(), {c.input(0)})}; }
std::vector<Value> identity(Context& c) { return std::vector<Value>(c.output_count(), c.input(0)); }

std::vector<Value> softsign(Context& c) {
  const Value size = c.make("Abs", {c.input(0)}, {}, Context::kNewest, "/abs");
  return {c.binary("Divide", c.input(0), c.binary("Add", size, 1, "/add"))};
}

/// To the next whole number; halves away from 0.
std::vector<Value> round(Context& c) {
  return {c.make("Round", {c.input(0)}, attributes({{"mode", std::string("half_away_from_zero")}}), 5)};
}

std::vector<Value> activation(Context& c) {
  static constexpr std::pair<const char*, const char*> kTypes[] = {
      {"relu", "Relu"}, {"sigmoid", "Sigmoid"}, {"tanh", "Tanh"}, {"softrelu", "SoftPlus"}};
  const std::string type = c.text("act_type", "relu");
  for (const auto& [name, becomes] : kTypes)
    if (type == name) return {c.make(becomes, {c.input(0)})};
  if (type == "softsign") return softsign(c);
  c.refuse("Operation '" + type + "' not supported. Please register it as custom op.");
}

std::vector<Value> leaky_relu(Context& c) {
  const std::string type = c.text("act_type", "leaky");
  const auto slope = static_cast<float>(c.real("slope", 0.25));
  if (type == "prelu") {
    const Tensor& t = c.parameter(1);
    const int64_t count = element_count(t.shape);
    if (c.rank() < 2 || (count != 1 && count != c.shape()[1]))
      c.refuse("its " + std::to_string(count) + " slopes do not fit an input of shape " + to_string(c.shape()));
    return {c.make(
        "PRelu",
        {c.input(0), t.shape == Shape{count} ? c.input(1) : c.constant({t.type, {count}, t.bytes}, "/weights")})};
  }
  if (type == "elu") return {c.make("Elu", {c.input(0)}, attributes({{"alpha", c.real("slope", 0.25)}}))};
  if (type == "gelu")
    return {c.make("Gelu", {c.input(0)}, attributes({{"approximation_mode", std::string("erf")}}), 7)};
  if (type == "selu") {
    const Value alpha = c.number_constant(c.input(0).type(), {1}, 1.6732632423543772),
                lambda = c.number_constant(c.input(0).type(), {1}, 1.0507009873554805);
    return {c.make("Selu", {c.input(0), alpha, lambda})};
  }
  if (type != "leaky") c.refuse("Operation '" + type + "' not supported. Please register it as custom op.");
  if (slope == 0) return {c.make("Relu", {c.input(0)})};
  return {c.make("PRelu",
                 {c.input(0), c.constant(Tensor::of(ElementType::f32, {1}, std::vector<float>{slope}), "/weights")})};
}

std::vector<Value> clip(Context& c) {
  return {c.make("Clamp", {c.input(0)}, attributes({{"min", c.real("a_min", 0)}, {"max", c.real("a_max", 0)}}))};
}

std::vector<Value> hard_sigmoid(Context& c) {
  const Value alpha = c.number_constant(c.input(0).type(), {}, c.real("alpha", 0.2)),
              beta = c.number_constant(c.input(0).type(), {}, c.real("beta", 0.5));
  return {c.make("HardSigmoid", {c.input(0), alpha, beta})};
}

/// x to a power.
template <int kNumerator, int kDenominator>
std::vector<Value> power(Context& c) {
  return {c.binary("Power", c.input(0), static_cast<double>(kNumerator) / kDenominator)};
}
std::vector<Value> square(Context& c) { return power<2, 1>(c); }
std::vector<Value> negative(Context& c) { return {c.binary("Multiply", c.input(0), -1)}; }
std::vector<Value> log2(Context& c) {
  return {c.binary("Multiply", c.make("Log", {c.input(0)}, {}, Context::kNewest, "/log"), 1 / std::log(2.0))};
}
std::vector<Value> log1p(Context& c) { return {c.make("Log", {c.binary("Add", c.input(0), 1, "/add")})}; }
std::vector<Value> expm1(Context& c) {
  return {c.binary("Add", c.make("Exp", {c.input(0)}, {}, Context::kNewest, "/exp"), -1)};
}

// ---- softmaxes ----

Value softmax_over(Context& c, int64_t axis, const char* type = "Softmax", int version = 1) {
  const double temperature = c.real("temperature", 1);
  if (temperature <= 0) c.refuse("its temperature is " + std::to_string(temperature));
  const Value x = temperature == 1 ? c.input(0) : c.binary("Divide", c.input(0), temperature, "/scaled");
  return c.make(type, {x}, attributes({{"axis", static_cast<int64_t>(c.axis(axis))}}), version);
}

std::vector<Value> softmax(Context& c) {
  if (c.flag("use_length", false)) c.refuse("it uses lengths");
  return {softmax_over(c, c.integer("axis", -1))};
}
std::vector<Value> log_softmax(Context& c) { return {softmax_over(c, c.integer("axis", -1), "LogSoftmax", 5)}; }

/// Over the channels; over the last axis where the mode is "instance", whatever MXNet's documents say.
std::vector<Value> softmax_activation(Context& c) {
  const bool is_over_channels = c.text("mode", "instance") == "channel" || c.rank() == 2 || c.quirks();
  return {softmax_over(c, is_over_channels ? 1 : -1)};
}

std::vector<Value> softmax_output(Context& c) {
  const bool channels = c.flag("multi_output", false), shape = c.flag("preserve_shape", false);
  if (c.rank() == 2 || channels || c.quirks()) return {softmax_over(c, 1)};
  if (shape) return {softmax_over(c, -1)};
  const Value flat = c.reshape(c.input(0), {0, -1}, "/flat");
  const Value y = c.make("Softmax", {flat}, attributes({{"axis", int64_t{1}}}), 1, "/softmax");
  return {c.reshape(y, c.shape())};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"Activation", "Relu", activation, "relu, sigmoid, tanh, softrelu, softsign"},
    {"BlockGrad", "", identity},
    {"Dropout", "", identity},
    {"IdentityAttachKLSparseReg", "", identity},
    {"LeakyReLU", "PRelu", leaky_relu, "leaky, prelu, elu, selu, gelu"},
    {"LinearRegressionOutput", "", identity},
    {"LogisticRegressionOutput", "Sigmoid", unary},
    {"MAERegressionOutput", "", identity},
    {"MakeLoss", "", identity},
    {"Softmax", "Softmax", softmax_output},
    {"SoftmaxActivation", "Softmax", softmax_activation},
    {"SoftmaxOutput", "Softmax", softmax_output},
    {"_copy", "", identity},
    {"_identity_with_attr_like_rhs", "", identity},
    {"abs", "Abs", unary},
    {"arccos", "Acos", unary},
    {"arccosh", "Acosh", unary},
    {"arcsin", "Asin", unary},
    {"arcsinh", "Asinh", unary},
    {"arctan", "Atan", unary},
    {"arctanh", "Atanh", unary},
    {"cbrt", "Power", power<1, 3>},
    {"ceil", "Ceiling", unary},
    {"clip", "Clamp", clip},
    {"cos", "Cos", unary},
    {"cosh", "Cosh", unary},
    {"erf", "Erf", unary},
    {"exp", "Exp", unary},
    {"expm1", "Exp", expm1},
    {"floor", "Floor", unary},
    {"hard_sigmoid", "HardSigmoid", hard_sigmoid},
    {"identity", "", identity},
    {"log", "Log", unary},
    {"log1p", "Log", log1p},
    {"log2", "Log", log2},
    {"log_softmax", "LogSoftmax", log_softmax},
    {"negative", "Multiply", negative},
    {"reciprocal", "Power", power<-1, 1>},
    {"relu", "Relu", unary},
    {"round", "Round", round},
    {"rsqrt", "Power", power<-1, 2>},
    {"sigmoid", "Sigmoid", unary},
    {"sign", "Sign", unary},
    {"sin", "Sin", unary},
    {"sinh", "Sinh", unary},
    {"softmax", "Softmax", softmax},
    {"softsign", "Divide", softsign},
    {"sqrt", "Power", power<1, 2>},
    {"square", "Power", square},
    {"stop_gradient", "", identity},
    {"tan", "Tan", unary},
    {"tanh", "Tanh", unary},
};

}  // namespace

std::span<const OperatorRow> activation_operators() { return kOperators; }

}  // namespace blobsmith::mxnet
