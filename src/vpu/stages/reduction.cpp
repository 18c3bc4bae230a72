// Reductions and TopK (stages spec §9).
// Attributes: Reduce*: keep_dims; input 1 is an S32 constant of framework axes. TopK: axis Dim, mode, sort integers,
// outputs 0 all 1 values only 2 indices only.
#include "vpu/format/reduction.hpp"

#include <algorithm>

#include "vpu/program/contents.hpp"
#include "vpu/stages/rules.hpp"
#include "vpu/stages/types_check.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

/// The layout must not change under the kernel: every tensor stays as it is.
void reduce_order(const Stage& s, OrderWishes& w) {
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

std::unique_ptr<StageParams> encode_reduce(const Stage& s) {
  auto p = std::make_unique<ReduceParams>();
  p->keep_dims = word(s, "keep_dims");
  return p;
}

std::unique_ptr<StageParams> encode_top_k(const Stage& s) {
  enum { kAll = 0, kValuesOnly = 1, kIndicesOnly = 2 };
  const int32_t outputs = word(s, "outputs");
  auto p = std::make_unique<TopKParams>();
  p->axis = axis_position(s, "axis", s.input(0));
  p->mode = word(s, "mode");
  p->sort = word(s, "sort");
  p->values_present = outputs != kIndicesOnly;
  p->indices_present = outputs != kValuesOnly;
  return p;
}

void check_top_k(const Stage& s) {
  constexpr const char* kRules[] = {"FP16 S32 -> FP16 S32", "FP16 S32 -> FP16", "FP16 S32 -> S32"};
  types_check::ports(s, kRules[std::clamp(word(s, "outputs"), 0, 2)]);
}

constexpr StageDef reduce(StageType t) {
  return {.type = t,
          .shaves = can_be_limited,
          .order = reduce_order,
          .finalize_layout = finalize_reduce,
          .types = "FP16|S32 S32 -> T",
          .encode = encode_reduce};
}

constexpr StageDef kDefs[] = {
    reduce(StageType::ReduceAnd),
    reduce(StageType::ReduceMin),
    reduce(StageType::ReduceMax),
    reduce(StageType::ReduceSum),
    reduce(StageType::ReduceMean),
    {.type = StageType::TopK,
     .shaves = can_be_limited,
     .order = output_keeps_order,
     .check_types = check_top_k,
     .encode = encode_top_k},
};

}  // namespace

std::span<const StageDef> reduction_defs() { return kDefs; }

}  // namespace blobsmith::vpu
