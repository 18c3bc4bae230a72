// What users can do about layers that the VPU has no stage for.
#pragma once
#include <string_view>

namespace blobsmith::vpu {

/// One line for a layer type (any letter case) that can't be lowered; empty where there is nothing to advise.
std::string_view advice_for(std::string_view layer_type);

}  // namespace blobsmith::vpu
