#pragma once
#include <cmath>

namespace blobsmith::compute {

inline float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

}  // namespace blobsmith::compute
