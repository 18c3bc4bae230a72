// Parameters of the eltwise family (stages spec §4).
#pragma once
#include <bit>

#include "vpu/stages/params.hpp"

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

}  // namespace blobsmith::vpu
