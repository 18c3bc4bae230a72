// Stages driven by indices or shapes (stages spec §5).
// Attributes: Gather: axis Dim. GatherND: batch_dims integer. GatherElements: axis integer (framework axis),
// rowIndicesMode. ReverseSequence: seq_axis, batch_axis Dim. OneHot: axis integer as in the blob, depth integer,
// on_value, off_value real. OutShapeOfReshape: specialZero.
#include "vpu/format/indexing.hpp"

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

std::unique_ptr<StageParams> encode_gather(const Stage& s) {
  auto p = std::make_unique<GatherParams>();
  p->axis = axis_position(s, "axis", s.input(0));
  return p;
}

std::unique_ptr<StageParams> encode_gather_nd(const Stage& s) {
  auto p = std::make_unique<GatherNDParams>();
  p->batch_dims = word(s, "batch_dims");
  return p;
}

std::unique_ptr<StageParams> encode_gather_elements(const Stage& s) {
  auto p = std::make_unique<GatherElementsParams>();
  p->axis = word(s, "axis");
  p->row_indices_mode = word(s, "rowIndicesMode", 0);
  return p;
}

/// Rows along the innermost axis are shared among the SHAVEs; along others there is one DMA task.
ShaveDemand gather_elements_shaves(const Stage& s) {
  const bool innermost = word(s, "axis") == s.input(0)->desc.rank() - 1;
  return word(s, "rowIndicesMode", 0) || innermost ? ShaveDemand::NeedMax : ShaveDemand::NotNeeded;
}

std::unique_ptr<StageParams> encode_reverse_sequence(const Stage& s) {
  auto p = std::make_unique<ReverseSequenceParams>();
  p->seq_axis = axis_position(s, "seq_axis", s.input(0));
  p->batch_axis = axis_position(s, "batch_axis", s.input(0));
  return p;
}

std::unique_ptr<StageParams> encode_one_hot(const Stage& s) {
  auto p = std::make_unique<OneHotParams>();
  p->axis = word(s, "axis");
  p->depth = uword(s, "depth");
  p->on_value = real(s, "on_value");
  p->off_value = real(s, "off_value");
  return p;
}

std::unique_ptr<StageParams> encode_out_shape_of_reshape(const Stage& s) {
  auto p = std::make_unique<OutShapeOfReshapeParams>();
  p->special_zero = word(s, "specialZero");
  return p;
}

void scatter_update_strides(const Stage&, StrideWishes& w) {
  w.inputs.at(0) = w.inputs.at(2) = w.outputs.at(0) = StridesRequirement::compact();
}

void scatter_elements_strides(const Stage& s, StrideWishes& w) {
  scatter_update_strides(s, w);
  w.inputs.at(1) = StridesRequirement::compact();
}

void non_zero_strides(const Stage& s, StrideWishes& w) {
  const auto innermost_compact = [](const Data* d) {
    StridesRequirement r = d->required_strides;
    return r.set(0, StrideRule::Compact);
  };
  w.inputs.at(0) = innermost_compact(s.input(0));
  for (int i = 0; i < s.output_count(); ++i) w.outputs.at(static_cast<size_t>(i)) = innermost_compact(s.output(i));
}

constexpr StageDef kDefs[] = {
    {.type = StageType::Gather,
     .shaves = none,
     .order = default_orders,
     .strides = compact_all,
     .types = "U8|FP16|S32 FP16|S32 -> T",
     .encode = encode_gather},
    {.type = StageType::GatherND,
     .shaves = none,
     .order = default_orders,
     .strides = compact_all,
     .types = "U8|FP16|S32 S32 -> T",
     .encode = encode_gather_nd},
    {.type = StageType::GatherElements,
     .shaves = gather_elements_shaves,
     .order = default_orders,
     .strides = compact_all,
     .types = "U8|FP16|S32 S32 S32* -> T",
     .encode = encode_gather_elements},
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
    {.type = StageType::OneHot,
     .shaves = can_be_limited,
     .order = default_orders,
     .types = "S32 -> FP16",
     .encode = encode_one_hot},
    {.type = StageType::NonZero, .strides = non_zero_strides, .types = "FP16|U8|S32 -> S32 S32"},
    {.type = StageType::OutShapeOfReshape, .types = "S32 S32 -> S32", .encode = encode_out_shape_of_reshape},
};

}  // namespace

std::span<const StageDef> indexing_defs() { return kDefs; }

}  // namespace blobsmith::vpu
