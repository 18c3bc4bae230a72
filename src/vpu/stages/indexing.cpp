// Stages driven by indices or shapes (stages spec §5).
#include "vpu/format/indexing.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

/// Rows along the innermost axis are shared among the SHAVEs; along others there is one DMA task.
ShaveRequirement gather_elements_shaves(const Stage& s) {
  const auto& p = s.get<GatherElementsParams>();
  const bool innermost = p.axis == s.input(0)->desc.rank() - 1;
  return p.row_indices_mode || innermost ? ShaveRequirement::NeedMax : ShaveRequirement::NotNeeded;
}

std::unique_ptr<StageParams> encode_reverse_sequence(const Stage& s) {
  const auto& spec = s.get<ReverseSequenceSpec>();
  auto p = std::make_unique<ReverseSequenceParams>();
  p->seq_axis = position(s, spec.seq, s.input(0));
  p->batch_axis = position(s, spec.batch, s.input(0));
  return p;
}

void scatter_update_strides(const Stage&, StrideRequirements& w) {
  w.inputs.at(0) = w.inputs.at(2) = w.outputs.at(0) = StridesRequirement::compact();
}

void scatter_elements_strides(const Stage& s, StrideRequirements& w) {
  scatter_update_strides(s, w);
  w.inputs.at(1) = StridesRequirement::compact();
}

void non_zero_strides(const Stage& s, StrideRequirements& w) {
  const auto innermost_compact = [](const Data* d) {
    StridesRequirement r = d->required_strides;
    return r.set(0, StrideRule::Compact);
  };
  w.inputs.at(0) = innermost_compact(s.input(0));
  for (int i = 0; i < s.output_count(); ++i) w.outputs.at(static_cast<size_t>(i)) = innermost_compact(s.output(i));
}

constexpr StageRow kDefs[] = {
    {.type = StageType::Gather,
     .shaves = none,
     .order = default_orders,
     .strides = compact_all,
     .types = "U8|FP16|S32 FP16|S32 -> T",
     .encode = encode_along_input<GatherParams>},
    {.type = StageType::GatherND,
     .shaves = none,
     .order = default_orders,
     .strides = compact_all,
     .types = "U8|FP16|S32 S32 -> T"},
    {.type = StageType::GatherElements,
     .shaves = gather_elements_shaves,
     .order = default_orders,
     .strides = compact_all,
     .types = "U8|FP16|S32 S32 S32* -> T"},
    {.type = StageType::ScatterUpdate,
     .shaves = none,
     .order = default_orders,
     .strides = scatter_update_strides,
     .types = "FP16 S32 FP16 S32 -> FP16"},
    {.type = StageType::ScatterElementsUpdate,
     .shaves = none,
     .order = default_orders,
     .strides = scatter_elements_strides,
     .types = "FP16|S32 S32 T S32 -> T"},
    {.type = StageType::ReverseSequence,
     .order = output_keeps_order,
     .types = "FP16 FP16 -> FP16",
     .encode = encode_reverse_sequence},
    {.type = StageType::OneHot, .shaves = can_be_limited, .order = default_orders, .types = "S32 -> FP16"},
    {.type = StageType::NonZero, .strides = non_zero_strides, .types = "FP16|U8|S32 -> S32 S32"},
    {.type = StageType::OutShapeOfReshape, .types = "S32 S32 -> S32"},
};

}  // namespace

std::span<const StageRow> indexing_defs() { return kDefs; }

}  // namespace blobsmith::vpu
