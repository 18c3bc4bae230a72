// Normalisations (stages spec §7).
#include "vpu/format/normalization.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

/// The kernel across channels reads rows at multiples of 16 bytes unless the channels are innermost.
void lrn_strides(const Stage& s, StrideRequirements& w) {
  StridesRequirement r = StridesRequirement::compact();
  if (s.is(StageType::LRN) && !channel_minor(s.input(0))) r.set(1, StrideRule::Aligned);
  w.inputs.at(0) = w.outputs.at(0) = r;
}

constexpr StageRow kDefs[] = {
    {.type = StageType::SoftMax,
     .order = output_keeps_order,
     .types = "FP16 -> FP16",
     .encode = encode_along_input<SoftMaxParams>},
    {.type = StageType::LRN,
     .order = output_keeps_order,
     .strides = lrn_strides,
     .batch = split_batch,
     .types = "FP16 -> FP16"},
    {.type = StageType::InnerLRN,
     .order = output_keeps_order,
     .strides = lrn_strides,
     .batch = split_batch,
     .types = "FP16 -> FP16"},
    {.type = StageType::Normalize,
     .order = output_keeps_order,
     .strides = compact_if_channel_minor,
     .batch = split_batch,
     .types = "FP16 FP16 -> FP16"},
    {.type = StageType::GRN, .order = output_keeps_order, .batch = split_batch, .types = "FP16 -> FP16"},
    // The axes are an input of the stage that the blob does not list (quirk: they stay in the constants unmentioned).
    {.type = StageType::MVN, .order = output_keeps_order, .batch = split_batch, .types = "FP16 S32 -> FP16"},
};

}  // namespace

std::span<const StageRow> normalization_defs() { return kDefs; }

}  // namespace blobsmith::vpu
