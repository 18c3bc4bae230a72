// Software poolings (stages spec §6, middle-end spec §3.28).
#include "vpu/format/pooling.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

void pool_strides(const Stage& s, StrideRequirements& w) {
  if (channel_minor(s.input(0))) w.inputs.at(0) = StridesRequirement::compact();
}

constexpr const char* kPoolTypes = "FP16 -> FP16";

constexpr StageRow kDefs[] = {
    {.type = StageType::MaxPool, .order = all_keep_order, .strides = pool_strides, .types = kPoolTypes},
    {.type = StageType::AvgPool, .order = all_keep_order, .strides = pool_strides, .types = kPoolTypes},
    // In blobs of 2020.1; 2021.4 writes ReduceMean or AvgPool.
    {.type = StageType::GlobalAvgPool},
    {.type = StageType::GlobalMaxPool, .order = all_keep_order, .types = kPoolTypes},
    {.type = StageType::PoolND, .order = output_of_planes, .strides = compact_first, .types = kPoolTypes},
};

}  // namespace

std::span<const StageRow> pooling_defs() { return kDefs; }

}  // namespace blobsmith::vpu
