// Element-wise stages with one input, and SCRelu (stages spec §3, §11).
#include "vpu/format/post_op.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

void post_op_strides(const Stage&, StrideRequirements& w) {
  w.inputs.at(0) = w.outputs.at(0) = StridesRequirement::standard().set(2, StrideRule::Compact);
}

void screlu_order(const Stage& s, OrderRequirements& w) {
  for (int i = 0; i < s.input_count(); ++i) w.inputs.at(static_cast<size_t>(i)) = s.input(i)->desc.order;
  w.outputs.at(0) = s.input(0)->desc.order;
}

constexpr const char* kUnary = "FP16 -> FP16";
constexpr const char* kWithConstants = "FP16 FP16* -> FP16";

constexpr StageRow post_op(StageType t, const char* types) {
  return {.type = t, .shaves = two_or_one, .order = output_keeps_order, .strides = post_op_strides, .types = types};
}

constexpr StageRow kDefs[] = {
    post_op(StageType::Relu, kUnary),
    post_op(StageType::LeakyRelu, kUnary),
    post_op(StageType::BiasRelu, kWithConstants),
    post_op(StageType::BiasLeakyRelu, kWithConstants),
    post_op(StageType::Bias, kWithConstants),
    post_op(StageType::Scale, kWithConstants),
    post_op(StageType::ScaleShift, kWithConstants),
    post_op(StageType::PRelu, kWithConstants),
    post_op(StageType::Sigmoid, kUnary),
    post_op(StageType::Tanh, kUnary),
    post_op(StageType::Elu, kUnary),
    post_op(StageType::Power, kUnary),
    post_op(StageType::Clamp, kUnary),
    post_op(StageType::Log, kUnary),
    post_op(StageType::Exp, kUnary),
    post_op(StageType::Floor, kUnary),
    post_op(StageType::Ceiling, kUnary),
    post_op(StageType::Round, kUnary),
    post_op(StageType::Erf, kUnary),
    post_op(StageType::Gelu, kUnary),
    post_op(StageType::SoftPlus, kUnary),
    post_op(StageType::Swish, kUnary),
    post_op(StageType::HSwish, kUnary),
    {.type = StageType::Mish, .order = output_keeps_order, .strides = post_op_strides, .types = kUnary},
    {.type = StageType::SCRelu,
     .order = screlu_order,
     .types = kWithConstants,
     .encode = encode_along_input<ScreluParams>},
};

}  // namespace

std::span<const StageRow> post_op_defs() { return kDefs; }

}  // namespace blobsmith::vpu
