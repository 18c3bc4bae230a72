#include "vpu/format/roi.hpp"

namespace blobsmith::vpu {

std::string feature_extractor_role(const StageParams& params, int k, int count) {
  const int64_t inputs = int64_t{1} + dynamic_cast<const RoiFeatureExtractorParams&>(params).levels_num;
  if (k < inputs) return "in" + std::to_string(k);
  return k == count - 1 ? "temp0" : "out" + std::to_string(k - inputs);
}

}  // namespace blobsmith::vpu
