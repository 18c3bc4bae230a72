// Activations and other functions of one tensor.
#include <limits>

#include "importers/onnx/mapper.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::onnx_import {
namespace {

template <const char* kType>
std::vector<Value> map_unary(Context& c) {
  return {c.make(kType, {c.input(0)})};
}

std::vector<Value> map_leaky_relu(Context& c) {
  const Value x = c.input(0);
  return {c.make("PRelu", {x, c.number_constant(x.type(), {1}, c.real("alpha", 0.01f))})};
}

std::vector<Value> map_prelu(Context& c) { return {c.make("PRelu", {c.input(0), c.input(1)})}; }
std::vector<Value> map_elu(Context& c) {
  return {c.make("Elu", {c.input(0)}, attributes({{"alpha", c.real("alpha", 1)}}))};
}

/// No operator of Model Optimizer, and the VPU lacks Selu: gamma * Elu(x).
std::vector<Value> map_selu(Context& c) {
  const Value elu = c.make("Elu", {c.input(0)}, attributes({{"alpha", c.real("alpha", 1.67326319217681884765625f)}}),
                           Context::kNewest, "/elu");
  return {c.binary("Multiply", elu, c.real("gamma", 1.05070102214813232421875f))};
}

std::vector<Value> map_hard_sigmoid(Context& c) {
  const Value x = c.input(0);
  const Value y = c.make("HardSigmoid",
                         {x, c.number_constant(x.type(), {}, c.real("alpha", 0.2f)),
                          c.number_constant(x.type(), {}, c.real("beta", 0.5f))},
                         {}, Context::kNewest, "/HardSigmoid_");
  return {y};
}

/// A bound as an attribute or an input; `none` when there is neither.
double clip_bound(Context& c, const char* attribute, size_t input, double none) {
  if (c.opset() < 11) return c.node().find(attribute) ? c.real(attribute, 0) : none;
  const Tensor* t = c.constant(input);
  return t && element_count(t->shape) == 1 ? static_cast<double>(t->to_f32()[0]) : none;
}

std::vector<Value> map_clip(Context& c) {
  const Value x = c.input(0);
  constexpr double kLowest = std::numeric_limits<float>::lowest(), kLargest = std::numeric_limits<float>::max();
  const bool inputs = c.opset() >= 11;
  const bool both_constant = !inputs || (c.constant(1) && c.constant(2));
  if (both_constant)
    return {
        c.make("Clamp", {x},
               attributes({{"min", clip_bound(c, "min", 1, kLowest)}, {"max", clip_bound(c, "max", 2, kLargest)}}))};
  Value y = x;
  if (c.has_input(1)) y = c.make("Maximum", {y, c.input(1)}, {}, Context::kNewest, c.has_input(2) ? "/Max" : "");
  if (c.has_input(2)) y = c.make("Minimum", {y, c.input(2)});
  return {y};
}

std::vector<Value> map_thresholded_relu(Context& c) {
  const Value x = c.input(0);
  const Value above =
      c.make("Greater", {x, c.number_constant(x.type(), Shape(x.shape().size(), 1), c.real("alpha", 1))}, {},
             Context::kNewest, "/greater");
  const Value mask =
      c.make("Convert", {above}, attributes({{"destination_type", std::string("f32")}}), Context::kNewest, "/cast");
  return {c.make("Multiply", {x, mask})};
}

/// No operator of Model Optimizer: alpha * Elu(x / alpha).
std::vector<Value> map_celu(Context& c) {
  const double alpha = c.real("alpha", 1);
  if (!(alpha > 0)) c.refuse("alpha is not positive");
  const auto elu = [&](Value x, const std::string& suffix) {
    return c.make("Elu", {x}, attributes({{"alpha", 1.0}}), Context::kNewest, suffix);
  };
  if (alpha == 1) return {elu(c.input(0), "")};
  return {c.binary("Multiply", elu(c.binary("Multiply", c.input(0), 1 / alpha, "/scaled"), "/elu"), alpha)};
}

/// No operator of Model Optimizer: (x > lambda) * (x - bias) + (x < -lambda) * (x + bias).
std::vector<Value> map_shrink(Context& c) {
  const Value x = c.input(0);
  const double bias = c.real("bias", 0), lambda = c.real("lambd", 0.5f);
  if (!(lambda >= 0)) c.refuse("lambd is negative");
  if (bias == lambda)
    return {
        c.binary("Subtract", x,
                 c.make("Clamp", {x}, attributes({{"min", -lambda}, {"max", lambda}}), Context::kNewest, "/inside"))};
  const auto part = [&](const char* comparison, double sign, const std::string& suffix) {
    const Value beyond = c.binary(comparison, x, sign * lambda, suffix);
    const Value mask = c.make("Convert", {beyond}, attributes({{"destination_type", std::string("f32")}}),
                              Context::kNewest, suffix + "/cast");
    return c.binary("Multiply", bias == 0 ? x : c.binary("Add", x, -sign * bias, suffix + "/shifted"), mask,
                    suffix + "/part");
  };
  return {c.binary("Add", part("Greater", 1, "/above"), part("Less", -1, "/below"))};
}

std::vector<Value> map_swish(Context& c) { return {c.make("Swish", {c.input(0)})}; }
/// Either approximation: they differ by less than half a unit of FP16 at 1.
std::vector<Value> map_gelu(Context& c) { return {c.make("Gelu", {c.input(0)}, {}, 0)}; }

std::vector<Value> map_softsign(Context& c) {
  const Value x = c.input(0);
  const Value one = c.make(
      "Add",
      {c.make("Abs", {x}, {}, Context::kNewest, "/abs"), c.number_constant(x.type(), Shape(x.shape().size(), 1), 1)},
      {}, Context::kNewest, "/plus_one");
  const Value reciprocal = c.make("Power", {one, c.number_constant(x.type(), Shape(x.shape().size(), 1), -1)}, {},
                                  Context::kNewest, "/reciprocal_");
  return {c.make("Multiply", {x, reciprocal})};
}

constexpr char kRelu[] = "Relu", kSigmoid[] = "Sigmoid", kTanh[] = "Tanh", kExp[] = "Exp", kLog[] = "Log",
               kFloor[] = "Floor", kCeiling[] = "Ceiling", kErf[] = "Erf", kAbs[] = "Abs", kSign[] = "Sign",
               kSin[] = "Sin", kCos[] = "Cos", kTan[] = "Tan", kAsin[] = "Asin", kAcos[] = "Acos", kAtan[] = "Atan",
               kSinh[] = "Sinh", kCosh[] = "Cosh", kAsinh[] = "Asinh", kAcosh[] = "Acosh", kAtanh[] = "Atanh",
               kSoftPlus[] = "SoftPlus", kRound[] = "Round", kHSwish[] = "HSwish", kMish[] = "Mish";

constexpr Mapper kMappers[] = {{"Relu", map_unary<kRelu>},
                               {"Sigmoid", map_unary<kSigmoid>},
                               {"Tanh", map_unary<kTanh>},
                               {"Exp", map_unary<kExp>},
                               {"Log", map_unary<kLog>},
                               {"Floor", map_unary<kFloor>},
                               {"Ceil", map_unary<kCeiling>},
                               {"Erf", map_unary<kErf>},
                               {"Abs", map_unary<kAbs>},
                               {"Sign", map_unary<kSign>},
                               {"Sin", map_unary<kSin>},
                               {"Cos", map_unary<kCos>},
                               {"Tan", map_unary<kTan>},
                               {"Asin", map_unary<kAsin>},
                               {"Acos", map_unary<kAcos>},
                               {"Atan", map_unary<kAtan>},
                               {"Sinh", map_unary<kSinh>},
                               {"Cosh", map_unary<kCosh>},
                               {"Asinh", map_unary<kAsinh>},
                               {"Acosh", map_unary<kAcosh>},
                               {"Atanh", map_unary<kAtanh>},
                               {"Softplus", map_unary<kSoftPlus>},
                               {"Round", map_unary<kRound>},
                               {"HardSwish", map_unary<kHSwish>},
                               {"Mish", map_unary<kMish>},
                               {"LeakyRelu", map_leaky_relu},
                               {"PRelu", map_prelu},
                               {"Elu", map_elu},
                               {"Selu", map_selu},
                               {"HardSigmoid", map_hard_sigmoid},
                               {"Clip", map_clip},
                               {"ThresholdedRelu", map_thresholded_relu},
                               {"Softsign", map_softsign},
                               {"Celu", map_celu},
                               {"Shrink", map_shrink},
                               {"Swish", map_swish},
                               {"Gelu", map_gelu}};

}  // namespace

std::span<const Mapper> activation_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
