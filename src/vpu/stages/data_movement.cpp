// Stages that move data without computing (stages spec §5).
// Attributes: Permute: permutation DimValues (output dimension -> number of the input's), outputOrder DimsOrder
// (optional). Convert: scale (1), bias (0) real, convertFromDetOutput (0), haveBatch (1). Concat: axis Dim. Broadcast:
// mode integer. Tile: axis Dim, tiles integer. Pad: pads_begin, pads_end DimValues, pad_value real, pad_mode integer.
// StridedSlice: begin_mask, end_mask, new_axis_mask, shrink_axis_mask, ellipsis_mask integers as in the blob.
// Upsampling: scaleX, scaleY, scaleZ (1), padLeftX, padRightX, padLeftY, padRightY, padLeftZ (0), padRightZ (0)
// integers.
#include "vpu/format/data_movement.hpp"

#include <algorithm>

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

// ---- Permute
// ------------------------------------------------------------------------------------------------------------

void permute_order(const Stage& s, OrderWishes& w) {
  w.outputs.at(0) = s.attrs.get_or<DimsOrder>("outputOrder", s.input(0)->desc.order);
}

std::unique_ptr<StageParams> encode_permute(const Stage& s) {
  const auto& permutation = s.attrs.get<DimValues>("permutation");
  const DimsOrder out = s.output(0)->desc.order;
  auto p = std::make_unique<PermuteParams>();
  p->permutation.fill(-1);
  ensure(out.rank() <= static_cast<int>(p->permutation.size()), "Permute of more than eight dimensions");
  for (int i = 0; i < out.rank(); ++i)
    p->permutation[static_cast<size_t>(i)] = position(s, static_cast<Dim>(permutation[out.at(i)]), s.input(0));
  return p;
}

// ---- Convert
// ------------------------------------------------------------------------------------------------------------

void convert_order(const Stage& s, OrderWishes& w) {
  if (s.output(0)->usage == DataUsage::Output)
    w.inputs.at(0) = s.output(0)->desc.order;
  else
    w.outputs.at(0) = s.input(0)->desc.order;
}

/// Rows may be padded: the hardware reads the result.
void convert_strides(const Stage&, StrideWishes& w) {
  w.inputs.at(0) = w.outputs.at(0) = StridesRequirement::compact().remove(1);
}

std::unique_ptr<StageParams> encode_convert(const Stage& s) {
  auto p = std::make_unique<ConvertParams>();
  p->scale = real(s, "scale", 1);
  p->bias = real(s, "bias", 0);
  p->convert_from_det_output = word(s, "convertFromDetOutput", 0);
  p->have_batch = word(s, "haveBatch", 1);
  return p;
}

// ---- Concat, Broadcast, Tile
// ----------------------------------------------------------------------------------------------

void concat_strides(const Stage&, StrideWishes& w) {
  for (auto& i : w.inputs) i = StridesRequirement::any();
  w.outputs.at(0) = StridesRequirement::any();
}

std::unique_ptr<StageParams> encode_concat(const Stage& s) {
  auto p = std::make_unique<ConcatParams>();
  p->axis = static_cast<uint32_t>(axis_position(s, "axis", s.input(0)));
  p->num_inputs = static_cast<uint32_t>(s.input_count());
  return p;
}

void broadcast_order(const Stage& s, OrderWishes& w) {
  const DimsOrder order = default_order(s.output(0));
  w.outputs.at(0) = s.input(0)->desc.rank() >= 3 && channel_minor(s.input(0)) ? channels_at(order, 0) : order;
}

std::unique_ptr<StageParams> encode_broadcast(const Stage& s) {
  auto p = std::make_unique<BroadcastParams>();
  p->mode = word(s, "mode");
  return p;
}

std::unique_ptr<StageParams> encode_tile(const Stage& s) {
  auto p = std::make_unique<TileParams>();
  p->axis = axis_position(s, "axis", s.output(0));
  p->tiles = word(s, "tiles");
  return p;
}

// ---- Pad
// ----------------------------------------------------------------------------------------------------------------

std::unique_ptr<StageParams> encode_pad(const Stage& s) {
  constexpr size_t kLeastPairs = 4;
  const auto& begin = s.attrs.get<DimValues>("pads_begin");
  const auto& end = s.attrs.get<DimValues>("pads_end");
  auto p = std::make_unique<PadParams>();
  for (Dim d : s.input(0)->desc.order.dims())
    p->pads.push_back({static_cast<uint32_t>(begin.get(d, 0)), static_cast<uint32_t>(end.get(d, 0))});
  p->pads.resize(std::max(p->pads.size(), kLeastPairs));
  p->pad_value = real(s, "pad_value");
  p->pad_mode = uword(s, "pad_mode");
  return p;
}

// ---- StridedSlice, Upsampling, HwFcRelayout
// -------------------------------------------------------------------------------

std::unique_ptr<StageParams> encode_strided_slice(const Stage& s) {
  auto p = std::make_unique<StridedSliceParams>();
  p->begin_mask = uword(s, "begin_mask");
  p->end_mask = uword(s, "end_mask");
  p->new_axis_mask = uword(s, "new_axis_mask", 0);
  p->shrink_axis_mask = uword(s, "shrink_axis_mask", 0);
  p->ellipsis_mask = uword(s, "ellipsis_mask", 0);
  return p;
}

void upsampling_order(const Stage&, OrderWishes& w) { w.inputs.at(0) = w.outputs.at(0) = orders::NCHW; }

std::unique_ptr<StageParams> encode_upsampling(const Stage& s) {
  auto p = std::make_unique<UpsamplingParams>();
  p->scale_x = word(s, "scaleX");
  p->scale_y = word(s, "scaleY");
  p->scale_z = word(s, "scaleZ", 1);
  p->pad_left_x = word(s, "padLeftX");
  p->pad_right_x = word(s, "padRightX");
  p->pad_left_y = word(s, "padLeftY");
  p->pad_right_y = word(s, "padRightY");
  p->pad_left_z = word(s, "padLeftZ", 0);
  p->pad_right_z = word(s, "padRightZ", 0);
  return p;
}

constexpr StageDef kDefs[] = {
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
     .types = "U8|FP16|FP32|S32 -> U8|FP16|FP32|S32",
     .encode = encode_convert},
    {.type = StageType::Concat,
     .order = concat_order,
     .strides = concat_strides,
     .types = "T T* -> T",
     .encode = encode_concat},
    {.type = StageType::Broadcast,
     .shaves = none,
     .order = broadcast_order,
     .strides = any_first,
     .types = "FP16|S32 S32 S32* -> T",
     .encode = encode_broadcast},
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
    {.type = StageType::StridedSlice, .types = "FP16|S32 S32 S32 S32 -> T", .encode = encode_strided_slice},
    {.type = StageType::Upsampling,
     .shaves = two_or_one,
     .order = upsampling_order,
     .strides = row_aligned_output,
     .batch = split_batch,
     .types = "FP16 -> FP16",
     .encode = encode_upsampling},
    {.type = StageType::HwFcRelayout,
     .shaves = two_or_one,
     .order = channels_outer,
     .strides = row_aligned_output,
     .batch = split_batch,
     .types = "FP16 -> FP16"},
};

}  // namespace

std::span<const StageDef> data_movement_defs() { return kDefs; }

}  // namespace blobsmith::vpu
