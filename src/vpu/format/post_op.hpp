// Parameters of the element-wise stages with one input (stages spec §3) and of SCRelu (§11). Sigmoid, Tanh, Log, Exp,
// Floor, Ceiling, Erf, Mish, Gelu, SoftPlus, HSwish, Bias, Scale, ScaleShift and PRelu have none.
#pragma once
#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

/// Relu, LeakyRelu, BiasRelu, BiasLeakyRelu.
struct ReluParams : StageParams {
  uint32_t has_bias = 0;
  float negative_slope = 0;
  void fields(FieldArchive& a) override {
    a.word("hasBias", has_bias);
    a.word("negativeSlope", negative_slope);
  }
};

struct EluParams : StageParams {
  float alpha = 1;
  void fields(FieldArchive& a) override { a.word("alpha", alpha); }
};

/// (bias + scale*x)^power
struct PowerParams : StageParams {
  float bias = 0, scale = 1, power = 1;
  void fields(FieldArchive& a) override {
    a.word("bias", bias);
    a.word("scale", scale);
    a.word("power", power);
  }
};

struct ClampParams : StageParams {
  float min_value = 0, max_value = 0;
  void fields(FieldArchive& a) override {
    a.word("min_value", min_value);
    a.word("max_value", max_value);
  }
};

struct RoundParams : StageParams {
  int32_t mode = 0;  ///< 0 half to even, 1 half away from zero
  void fields(FieldArchive& a) override { a.word("mode", mode); }
};

struct SwishParams : StageParams {
  float beta = 1;
  void fields(FieldArchive& a) override { a.word("beta", beta); }
};

/// relu(concat(x, -x)*scale + bias)
struct ScreluParams : StageParams {
  float negative_slope = 0;
  int32_t axis = 0;
  void fields(FieldArchive& a) override {
    a.word("negativeSlope", negative_slope);
    a.word("axis", axis);
  }
};

inline constexpr StageFormat kPostOpFormats[] = {
    {.type = StageType::SCRelu, .make_params = make_params_of<ScreluParams>},
    {.type = StageType::Relu, .make_params = make_params_of<ReluParams>},
    {.type = StageType::LeakyRelu, .make_params = make_params_of<ReluParams>},
    {.type = StageType::BiasRelu, .make_params = make_params_of<ReluParams>},
    {.type = StageType::BiasLeakyRelu, .make_params = make_params_of<ReluParams>},
    {.type = StageType::Elu, .make_params = make_params_of<EluParams>},
    {.type = StageType::Power, .make_params = make_params_of<PowerParams>},
    {.type = StageType::Clamp, .make_params = make_params_of<ClampParams>},
    {.type = StageType::Round, .make_params = make_params_of<RoundParams>},
    {.type = StageType::Swish, .make_params = make_params_of<SwishParams>},
};

}  // namespace blobsmith::vpu
