// Reductions and TopK (stages spec §9).
#include "vpu/format/reduction.hpp"

#include <algorithm>

#include "vpu/program/contents.hpp"
#include "vpu/stages/rules.hpp"
#include "vpu/stages/types_check.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

/// The layout must not change under the kernel: every tensor stays as it is.
void reduce_order(const Stage& s, OrderRequirements& w) {
  w.inputs.at(0) = s.input(0)->desc.order;
  w.inputs.at(1) = s.input(1)->desc.order;
  w.outputs.at(0) = s.output(0)->desc.order;
}

/// The axes become memory positions of the input, ascending.
void finalize_reduce(Program& p, Stage& s) {
  Data* axes = s.input(1);
  const Data* in = s.input(0);
  if (axes->usage != DataUsage::Const || axes->desc.type != DataType::S32)
    throw cannot_compile(s.name, to_string(s.type), "the axes of a reduction must be constant integers");
  std::vector<int32_t> positions;
  const Bytes content = axes->content.aligned(alignof(int32_t));
  for (int32_t axis : content.as<int32_t>()) {
    if (axis < -in->desc.rank() || axis >= in->desc.rank())
      throw cannot_compile(s.name, to_string(s.type), "axis " + std::to_string(axis) + " is out of range");
    positions.push_back(position(s, in->desc.axis_dim(axis), in));
  }
  std::ranges::sort(positions);
  p.replace_input(&s, 1, p.duplicate(axes, "", {}, contents::int32s(std::move(positions))));
}

void check_top_k(const Stage& s) {
  const auto& p = s.get<TopKParams>();
  types_check::ports(s, !p.indices_present  ? "FP16 S32 -> FP16"
                        : !p.values_present ? "FP16 S32 -> S32"
                                            : "FP16 S32 -> FP16 S32");
}

constexpr StageRow reduce(StageType t) {
  return {.type = t,
          .shaves = can_be_limited,
          .order = reduce_order,
          .finalize_layout = finalize_reduce,
          .types = "FP16|S32 S32 -> T"};
}

constexpr StageRow kDefs[] = {
    reduce(StageType::ReduceAnd),
    reduce(StageType::ReduceMin),
    reduce(StageType::ReduceMax),
    reduce(StageType::ReduceSum),
    reduce(StageType::ReduceMean),
    {.type = StageType::TopK,
     .shaves = can_be_limited,
     .order = output_keeps_order,
     .check_types = check_top_k,
     .encode = encode_along_input<TopKParams>},
};

}  // namespace

std::span<const StageRow> reduction_defs() { return kDefs; }

}  // namespace blobsmith::vpu
