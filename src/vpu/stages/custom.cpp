// Stages with a kernel of the user (stages spec §12): decoded only, custom layers can't be compiled.
#include "vpu/format/custom.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

constexpr StageRow kDefs[] = {
    {.type = StageType::Custom},
};

}  // namespace

std::span<const StageRow> custom_defs() { return kDefs; }

}  // namespace blobsmith::vpu
