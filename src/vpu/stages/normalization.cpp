// Normalisations (stages spec §7).
// Attributes: SoftMax: axis Dim. LRN, InnerLRN: size, k integers, alpha, beta real. Normalize: acrossSpatial,
// channelShared, eps real. GRN: bias real. MVN: normalize, across_channels, across_width, eps real.
#include "vpu/format/normalization.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

/// The kernel across channels reads rows at multiples of 16 bytes unless the channels are innermost.
void lrn_strides(const Stage& s, StrideWishes& w) {
  StridesRequirement r = StridesRequirement::compact();
  if (s.is(StageType::LRN) && !channel_minor(s.input(0))) r.set(1, StrideRule::Aligned);
  w.inputs.at(0) = w.outputs.at(0) = r;
}

std::unique_ptr<StageParams> encode_softmax(const Stage& s) {
  auto p = std::make_unique<SoftMaxParams>();
  p->axis = axis_position(s, "axis", s.input(0));
  return p;
}

std::unique_ptr<StageParams> encode_lrn(const Stage& s) {
  auto p = std::make_unique<LrnParams>();
  p->size = uword(s, "size");
  p->k = quirks::float_to_half(static_cast<float>(word(s, "k")));
  p->alpha = quirks::float_to_half(real(s, "alpha"));
  p->beta = quirks::float_to_half(real(s, "beta"));
  return p;
}

std::unique_ptr<StageParams> encode_normalize(const Stage& s) {
  auto p = std::make_unique<NormalizeParams>();
  p->across_spatial = word(s, "acrossSpatial");
  p->channel_shared = word(s, "channelShared");
  p->eps = real(s, "eps");
  return p;
}

std::unique_ptr<StageParams> encode_grn(const Stage& s) {
  auto p = std::make_unique<GrnParams>();
  p->bias = real(s, "bias");
  return p;
}

std::unique_ptr<StageParams> encode_mvn(const Stage& s) {
  auto p = std::make_unique<MvnParams>();
  p->normalize = word(s, "normalize");
  p->across_channels = word(s, "across_channels");
  p->across_width = word(s, "across_width");
  p->eps = real(s, "eps");
  return p;
}

constexpr StageDef kDefs[] = {
    {.type = StageType::SoftMax, .order = output_keeps_order, .types = "FP16 -> FP16", .encode = encode_softmax},
    {.type = StageType::LRN,
     .order = output_keeps_order,
     .strides = lrn_strides,
     .batch = split_batch,
     .types = "FP16 -> FP16",
     .encode = encode_lrn},
    {.type = StageType::InnerLRN,
     .order = output_keeps_order,
     .strides = lrn_strides,
     .batch = split_batch,
     .types = "FP16 -> FP16",
     .encode = encode_lrn},
    {.type = StageType::Normalize,
     .order = output_keeps_order,
     .strides = compact_if_channel_minor,
     .batch = split_batch,
     .types = "FP16 FP16 -> FP16",
     .encode = encode_normalize},
    {.type = StageType::GRN,
     .order = output_keeps_order,
     .batch = split_batch,
     .types = "FP16 -> FP16",
     .encode = encode_grn},
    // The axes are an input of the stage that the blob does not list (quirk: they stay in the constants unmentioned).
    {.type = StageType::MVN,
     .order = output_keeps_order,
     .batch = split_batch,
     .types = "FP16 S32 -> FP16",
     .encode = encode_mvn},
};

}  // namespace

std::span<const StageDef> normalization_defs() { return kDefs; }

}  // namespace blobsmith::vpu
