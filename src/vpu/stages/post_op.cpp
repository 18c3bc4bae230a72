// Element-wise stages with one input, and SCRelu (stages spec §3, §11).
// Attributes: Relu, LeakyRelu, BiasRelu, BiasLeakyRelu: negativeSlope real. Elu: alpha real. Power: bias, scale, power
// real. Clamp: min_value, max_value real. Round: mode integer. Swish: beta real. SCRelu: negativeSlope real, axis Dim.
#include "vpu/format/post_op.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

void strides(const Stage&, StrideWishes& w) {
  w.inputs.at(0) = w.outputs.at(0) = StridesRequirement::standard().set(2, StrideRule::Compact);
}

std::unique_ptr<StageParams> encode_relu(const Stage& s) {
  auto p = std::make_unique<ReluParams>();
  p->has_bias = s.is_any(StageType::BiasRelu, StageType::BiasLeakyRelu);
  p->negative_slope = real(s, "negativeSlope");
  return p;
}

std::unique_ptr<StageParams> encode_elu(const Stage& s) {
  auto p = std::make_unique<EluParams>();
  p->alpha = real(s, "alpha");
  return p;
}

std::unique_ptr<StageParams> encode_power(const Stage& s) {
  auto p = std::make_unique<PowerParams>();
  p->bias = real(s, "bias");
  p->scale = real(s, "scale");
  p->power = real(s, "power");
  return p;
}

std::unique_ptr<StageParams> encode_clamp(const Stage& s) {
  auto p = std::make_unique<ClampParams>();
  p->min_value = real(s, "min_value");
  p->max_value = real(s, "max_value");
  return p;
}

std::unique_ptr<StageParams> encode_round(const Stage& s) {
  auto p = std::make_unique<RoundParams>();
  p->mode = word(s, "mode");
  return p;
}

std::unique_ptr<StageParams> encode_swish(const Stage& s) {
  auto p = std::make_unique<SwishParams>();
  p->beta = real(s, "beta");
  return p;
}

std::unique_ptr<StageParams> encode_screlu(const Stage& s) {
  auto p = std::make_unique<ScreluParams>();
  p->negative_slope = real(s, "negativeSlope");
  p->axis = axis_position(s, "axis", s.input(0));
  return p;
}

void screlu_order(const Stage& s, OrderWishes& w) {
  for (int i = 0; i < s.input_count(); ++i) w.inputs.at(static_cast<size_t>(i)) = s.input(i)->desc.order;
  w.outputs.at(0) = s.input(0)->desc.order;
}

constexpr const char* kUnary = "FP16 -> FP16";
constexpr const char* kWithConstants = "FP16 FP16* -> FP16";

constexpr StageDef post_op(StageType t, const char* types,
                           std::unique_ptr<StageParams> (*encode)(const Stage&) = nullptr) {
  return {.type = t,
          .shaves = two_or_one,
          .order = output_keeps_order,
          .strides = strides,
          .types = types,
          .encode = encode};
}

constexpr StageDef kDefs[] = {
    post_op(StageType::Relu, kUnary, encode_relu),
    post_op(StageType::LeakyRelu, kUnary, encode_relu),
    post_op(StageType::BiasRelu, kWithConstants, encode_relu),
    post_op(StageType::BiasLeakyRelu, kWithConstants, encode_relu),
    post_op(StageType::Bias, kWithConstants),
    post_op(StageType::Scale, kWithConstants),
    post_op(StageType::ScaleShift, kWithConstants),
    post_op(StageType::PRelu, kWithConstants),
    post_op(StageType::Sigmoid, kUnary),
    post_op(StageType::Tanh, kUnary),
    post_op(StageType::Elu, kUnary, encode_elu),
    post_op(StageType::Power, kUnary, encode_power),
    post_op(StageType::Clamp, kUnary, encode_clamp),
    post_op(StageType::Log, kUnary),
    post_op(StageType::Exp, kUnary),
    post_op(StageType::Floor, kUnary),
    post_op(StageType::Ceiling, kUnary),
    post_op(StageType::Round, kUnary, encode_round),
    post_op(StageType::Erf, kUnary),
    post_op(StageType::Gelu, kUnary),
    post_op(StageType::SoftPlus, kUnary),
    post_op(StageType::Swish, kUnary, encode_swish),
    post_op(StageType::HSwish, kUnary),
    {.type = StageType::Mish, .order = output_keeps_order, .strides = strides, .types = kUnary},
    {.type = StageType::SCRelu, .order = screlu_order, .types = kWithConstants, .encode = encode_screlu},
};

}  // namespace

std::span<const StageDef> post_op_defs() { return kDefs; }

}  // namespace blobsmith::vpu
