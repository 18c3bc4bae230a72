// Stages that move data without computing (stages spec §5).
#include "vpu/format/data_movement.hpp"

#include <algorithm>

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

// ---- Permute ----

void permute_order(const Stage& s, OrderRequirements& w) {
  w.outputs.at(0) = s.get<PermuteSpec>().output_order.value_or(s.input(0)->desc.order);
}

std::unique_ptr<StageParams> encode_permute(const Stage& s) {
  const DimValues& permutation = s.get<PermuteSpec>().permutation;
  const DimsOrder out = s.output(0)->desc.order;
  auto p = std::make_unique<PermuteParams>();
  p->permutation.fill(-1);
  ensure(out.rank() <= static_cast<int>(p->permutation.size()), "Permute of more than eight dimensions");
  for (int i = 0; i < out.rank(); ++i)
    p->permutation[static_cast<size_t>(i)] = position(s, static_cast<Dim>(permutation[out.at(i)]), s.input(0));
  return p;
}

// ---- Convert ----

void convert_order(const Stage& s, OrderRequirements& w) {
  if (s.output(0)->usage == DataUsage::Output)
    w.inputs.at(0) = s.output(0)->desc.order;
  else
    w.outputs.at(0) = s.input(0)->desc.order;
}

/// Rows may be padded: the hardware reads the result.
void convert_strides(const Stage&, StrideRequirements& w) {
  w.inputs.at(0) = w.outputs.at(0) = StridesRequirement::compact().remove(1);
}

// ---- Concat, Broadcast, Tile ----

void concat_strides(const Stage&, StrideRequirements& w) {
  for (auto& i : w.inputs) i = StridesRequirement::any();
  w.outputs.at(0) = StridesRequirement::any();
}

void broadcast_order(const Stage& s, OrderRequirements& w) {
  const DimsOrder order = default_order(s.output(0));
  w.outputs.at(0) = s.input(0)->desc.rank() >= 3 && channel_minor(s.input(0)) ? channels_at(order, 0) : order;
}

std::unique_ptr<StageParams> encode_tile(const Stage& s) {
  const auto& spec = s.get<TileSpec>();
  auto p = std::make_unique<TileParams>(spec);
  p->axis = position(s, spec.dim, s.output(0));
  return p;
}

// ---- Pad ----

std::unique_ptr<StageParams> encode_pad(const Stage& s) {
  constexpr size_t kLeastPairs = 4;
  const auto& spec = s.get<PadSpec>();
  auto p = std::make_unique<PadParams>();
  for (Dim d : s.input(0)->desc.order.dims())
    p->pads.push_back({static_cast<uint32_t>(spec.begin.get(d, 0)), static_cast<uint32_t>(spec.end.get(d, 0))});
  p->pads.resize(std::max(p->pads.size(), kLeastPairs));
  p->pad_value = spec.value;
  p->pad_mode = static_cast<uint32_t>(spec.mode);
  return p;
}

// ---- StridedSlice, Upsampling, HwFcRelayout ----

void upsampling_order(const Stage&, OrderRequirements& w) { w.inputs.at(0) = w.outputs.at(0) = orders::NCHW; }

constexpr StageRow kDefs[] = {
    {.type = StageType::Copy, .order = output_keeps_order, .strides = any_first, .types = "T -> T"},
    {.type = StageType::None, .shaves = none},
    {.type = StageType::Permute,
     .shaves = can_be_limited,
     .order = permute_order,
     .types = "T -> T",
     .encode = encode_permute},
    {.type = StageType::Convert,
     .order = convert_order,
     .strides = convert_strides,
     .types = "U8|FP16|FP32|S32 -> U8|FP16|FP32|S32"},
    {.type = StageType::Concat,
     .order = concat_order,
     .strides = concat_strides,
     .types = "T T* -> T",
     .encode = encode_along_input<ConcatParams>},
    {.type = StageType::Broadcast,
     .shaves = none,
     .order = broadcast_order,
     .strides = any_first,
     .types = "FP16|S32 S32 S32* -> T"},
    {.type = StageType::Tile,
     .shaves = only_one,
     .order = all_keep_order,
     .types = "FP16 -> FP16",
     .encode = encode_tile},
    {.type = StageType::Pad,
     .shaves = can_be_limited,
     .order = output_keeps_order,
     .batch = split_batch,
     .types = "FP16 -> FP16",
     .encode = encode_pad},
    {.type = StageType::StridedSlice, .types = "FP16|S32 S32 S32 S32 -> T"},
    {.type = StageType::Upsampling,
     .shaves = two_or_one,
     .order = upsampling_order,
     .strides = row_aligned_output,
     .batch = split_batch,
     .types = "FP16 -> FP16"},
    {.type = StageType::HwFcRelayout,
     .shaves = two_or_one,
     .order = channels_outer,
     .strides = row_aligned_output,
     .batch = split_batch,
     .types = "FP16 -> FP16"},
};

}  // namespace

std::span<const StageRow> data_movement_defs() { return kDefs; }

}  // namespace blobsmith::vpu
