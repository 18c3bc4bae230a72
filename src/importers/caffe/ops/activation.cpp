// Functions of single values.
#include <cmath>

#include "importers/caffe/operators.hpp"

namespace blobsmith::caffe {
namespace {

std::vector<Value> unary(Context& c) { return {c.make(c.becomes(), {c.input(0)})}; }
std::vector<Value> unary_4(Context& c) { return {c.make(c.becomes(), {c.input(0)}, {}, 4)}; }
std::vector<Value> identity(Context& c) {
  return std::vector<Value>(std::max<size_t>(c.output_count(), 1), c.input(0));
}

Value sloped(Context& c, float slope) {
  return c.make("PRelu",
                {c.input(0), c.constant(Tensor::of(ElementType::f32, {1}, std::vector<float>{slope}), "/weights")});
}

std::vector<Value> relu(Context& c) {
  const double slope = c.parameters("relu_param").real("negative_slope", 0);
  return {slope == 0 ? c.make("Relu", {c.input(0)}) : sloped(c, static_cast<float>(slope))};
}

std::vector<Value> prelu(Context& c) {
  const bool shared = c.parameters("prelu_param").flag("channel_shared", false);
  const Tensor& slope = c.blob(0);
  const int64_t count = element_count(slope.shape);
  if (c.rank() < 2 || (count != 1 && count != c.shape()[1]) || (shared && count != 1))
    c.refuse("its " + std::to_string(count) + " slopes do not fit an input of shape " + to_string(c.shape()));
  return {c.make("PRelu", {c.input(0), c.constant({slope.type, {count}, slope.bytes}, "/weights")})};
}

std::vector<Value> elu(Context& c) {
  return {c.make("Elu", {c.input(0)}, attributes({{"alpha", c.parameters("elu_param").real("alpha", 1)}}))};
}

std::vector<Value> relu6(Context& c) {
  const double n = c.parameters("relu6_param").real("n", 6);
  return {c.make("Clamp", {c.input(0)}, attributes({{"min", 0.0}, {"max", n}}))};
}

std::vector<Value> clip(Context& c) {
  const Message& p = c.parameters("clip_param");
  if (!p.has("min") || !p.has("max")) c.refuse("it has no min or no max");
  return {c.make("Clamp", {c.input(0)}, attributes({{"min", p.real("min", 0)}, {"max", p.real("max", 0)}}))};
}

/// (scale · x + shift) ^ power, without what changes nothing.
std::vector<Value> power(Context& c) {
  const Message& p = c.parameters("power_param");
  const double power = p.real("power", 1), scale = p.real("scale", 1), shift = p.real("shift", 0);
  Value v = c.input(0);
  if (scale != 1) v = c.linear("Multiply", v, std::vector<double>{scale}, 1, "/mul_");
  if (shift != 0) v = c.linear("Add", v, std::vector<double>{shift}, 1, "/add_");
  if (power == 1) return {v};
  Tensor exponent = Tensor::reals(v.type(), Shape(v.shape().size(), 1), std::vector<double>{power});
  return {c.make("Power", {v, c.numbered_constant(std::move(exponent))}, {}, Context::kNewest, "/pow_")};
}

/// base ^ (scale · x + shift); base -1 is e.
std::vector<Value> exponential(Context& c) {
  const Message& p = c.parameters("exp_param");
  const double base = p.real("base", -1), scale = p.real("scale", 1), shift = p.real("shift", 0);
  if (base != -1 && base <= 0) c.refuse("its base is not positive");
  const double log_base = base == -1 ? 1 : std::log(base), factor = scale * log_base, summand = shift * log_base;
  Value v = c.input(0);
  if (factor != 1) v = c.binary("Multiply", v, factor, "/mul_");
  if (summand != 0) v = c.binary("Add", v, summand, "/add_");
  return {c.make("Exp", {v})};
}

/// log base of (scale · x + shift). No layer of Model Optimizer.
std::vector<Value> logarithm(Context& c) {
  const Message& p = c.parameters("log_param");
  const double base = p.real("base", -1), scale = p.real("scale", 1), shift = p.real("shift", 0);
  if (base != -1 && (base <= 0 || base == 1)) c.refuse("its base is not positive, or 1");
  Value v = c.input(0);
  if (scale != 1) v = c.binary("Multiply", v, scale, "/mul_");
  if (shift != 0) v = c.binary("Add", v, shift, "/add_");
  const Value log = c.make("Log", {v}, {}, Context::kNewest, base == -1 ? "" : "/log_");
  return {base == -1 ? log : c.binary("Multiply", log, 1 / std::log(base))};
}

/// 1 above the threshold, else 0. No layer of Model Optimizer.
std::vector<Value> threshold(Context& c) {
  const double t = c.parameters("threshold_param").real("threshold", 0);
  const Value above = c.binary("Greater", c.input(0), t, "/above");
  return {c.make("Convert", {above}, attributes({{"destination_type", std::string("f32")}}))};
}

std::vector<Value> swish(Context& c) {
  const double beta = c.parameters("swish_param").real("beta", 1);
  if (beta != 1) c.refuse("its beta is not 1");
  return {c.make("Swish", {c.input(0)})};
}

std::vector<Value> softmax(Context& c) {
  return {c.make("Softmax", {c.input(0)},
                 attributes({{"axis", static_cast<int64_t>(c.axis(c.parameters("softmax_param").integer("axis", 1)))}}),
                 1)};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"AbsVal", "Abs", unary},      {"BNLL", "SoftPlus", unary_4},
    {"Clip", "Clamp", clip},       {"Dropout", "", identity},
    {"ELU", "Elu", elu},           {"Exp", "Exp", exponential},
    {"Log", "Log", logarithm},     {"Mish", "Mish", unary_4},
    {"Power", "Power", power},     {"PReLU", "PRelu", prelu, "one slope or one per channel"},
    {"ReLU", "Relu", relu},        {"ReLU6", "Clamp", relu6},
    {"Sigmoid", "Sigmoid", unary}, {"Softmax", "Softmax", softmax},
    {"Split", "", identity},       {"Swish", "Swish", swish, "beta 1"},
    {"TanH", "Tanh", unary},       {"Threshold", "Greater", threshold},
};

}  // namespace

std::span<const OperatorRow> activation_operators() { return kOperators; }

}  // namespace blobsmith::caffe
