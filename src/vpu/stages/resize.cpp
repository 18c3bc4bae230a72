// Resizing (stages spec §8).
#include "vpu/format/resize.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

constexpr StageRow kDefs[] = {
    {.type = StageType::Interp, .order = output_keeps_order, .batch = split_batch, .types = "FP16 -> FP16"},
    {.type = StageType::Resample, .order = output_keeps_order, .batch = split_batch, .types = "FP16 -> FP16"},
};

}  // namespace

std::span<const StageRow> resize_defs() { return kDefs; }

}  // namespace blobsmith::vpu
