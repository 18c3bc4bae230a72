// Small rules that several stage definitions share (stages spec §0).
#pragma once
#include <span>

#include "vpu/program/specs.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu::rules {

inline constexpr int64_t kScratchSlack = 64;  ///< bytes behind each scratch buffer

/// Where a dimension stands in a tensor's memory, 0 innermost.
int32_t position(const Stage& s, Dim dim, const Data* d);

// ---- orders ----
/// C moved to `position` when the rank is at least three; else unchanged.
DimsOrder channels_at(DimsOrder order, int position);
DimsOrder default_order(const Data* d);
bool channel_minor(const Data* d);
void output_keeps_order(const Stage&, OrderRequirements&);  ///< every output like input 0
void all_keep_order(const Stage&, OrderRequirements&);      ///< input 0 as it is, output 0 like it
void default_orders(const Stage&, OrderRequirements&);      ///< every port
void channels_outer(const Stage&, OrderRequirements&);      ///< input 0 and output 0 with C at position 2
void output_of_planes(const Stage&,
                      OrderRequirements&);  ///< output 0 like input 0 with C outside the spatial dimensions
void concat_order(const Stage&,
                  OrderRequirements&);  ///< every port in the order that most inputs have (order_vote.hpp)

// ---- strides ----
void compact_first(const Stage&, StrideRequirements&);  ///< input 0 and output 0
void compact_all(const Stage&, StrideRequirements&);    ///< every port
void compact_if_channel_minor(const Stage&, StrideRequirements&);
void any_first(const Stage&, StrideRequirements&);  ///< input 0 and output 0: stated, but nothing required
void row_aligned_output(const Stage&, StrideRequirements&);
/// Compact elements, rows at multiples of 16 bytes.
StridesRequirement row_aligned();

// ---- batch: input 0 and the outputs one item at a time ----
void split_batch(const Stage&, BatchRequirements&);

// ---- SHAVEs ----
ShaveRequirement none(const Stage&);
ShaveRequirement only_one(const Stage&);
ShaveRequirement two_or_one(const Stage&);
ShaveRequirement can_be_limited(const Stage&);

// ---- parameters ----------------------------------------------------------------------------------------------------
/// Parameters with an axis of input 0.
template <class P>
std::unique_ptr<StageParams> encode_along_input(const Stage& s) {
  const auto& spec = s.get<AlongDim<P>>();
  auto p = std::make_unique<P>(spec);
  p->axis = position(s, spec.dim, s.input(0));
  return p;
}

}  // namespace blobsmith::vpu::rules

namespace blobsmith::vpu {

// The definitions of each file of this folder.
std::span<const StageRow> special_stage_defs();
std::span<const StageRow> hw_op_defs();
std::span<const StageRow> post_op_defs();
std::span<const StageRow> eltwise_defs();
std::span<const StageRow> data_movement_defs();
std::span<const StageRow> indexing_defs();
std::span<const StageRow> convolution_defs();
std::span<const StageRow> pooling_defs();
std::span<const StageRow> normalization_defs();
std::span<const StageRow> resize_defs();
std::span<const StageRow> reduction_defs();
std::span<const StageRow> detection_defs();
std::span<const StageRow> roi_defs();
std::span<const StageRow> recurrent_defs();
std::span<const StageRow> custom_defs();

}  // namespace blobsmith::vpu
