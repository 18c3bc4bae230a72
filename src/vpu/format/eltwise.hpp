// Parameters of the eltwise family (stages spec §4).
#pragma once
#include <bit>

#include "vpu/format/stage_format.hpp"

namespace blobsmith::vpu {

/// All numbers but the post operation are floats when the first input is FP16 and integers when it is S32; the
/// parameters don't say which, so the bits are kept.
struct EltwiseParams : StageParams {
  uint32_t coeff1 = 0, coeff2 = 0;
  int32_t post_operation = -1;  ///< a StageType: -1 none, 6 Relu, 44 LeakyRelu, 57 Clamp
  uint32_t negative_slope = 0, min_value = 0, max_value = 0;
  static float real(uint32_t bits) { return std::bit_cast<float>(bits); }
  static int32_t integer(uint32_t bits) { return std::bit_cast<int32_t>(bits); }
  void fields(FieldArchive& a) override {
    a.word("coeff1", coeff1);
    a.word("coeff2", coeff2);
    a.word("postOperation", post_operation);
    a.word("negativeSlope", negative_slope);
    a.word("min_value", min_value);
    a.word("max_value", max_value);
  }
};

inline constexpr StageFormat kEltwiseFormats[] = {
    {.type = StageType::Sum, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Prod, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Max, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Div, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Min, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Squared_diff, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Equal, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Not_equal, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Greater, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Greater_equal,
     .make_params = make_params_of<EltwiseParams>,
     .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Less, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Less_equal, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Logical_NOT, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Logical_AND, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Logical_OR, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Logical_XOR, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Pow, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Floor_mod, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Select, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
    {.type = StageType::Abs, .make_params = make_params_of<EltwiseParams>, .buffer_order = "in0 out0 in1 in2"},
};

}  // namespace blobsmith::vpu
