// Stages that shape the data and never reach a blob: views of other data and the stubs that later passes replace
// (stages spec §13, memory spec §2.2).
#include <algorithm>

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

// ---- strides: what one side of a view requires holds for the other, up to the dimension along which it is cut
// --------------

/// The smallest position, in `whole`'s order, of a dimension whose size differs in `part`; `limit` when there is none.
int first_cut(const Data* whole, const Data* part, int limit) {
  int r = limit;
  for (int i = 0; i < whole->desc.rank() && i < r; ++i) {
    const Dim d = whole->desc.order.at(i);
    if (part->desc.dim(d, 1) != whole->desc.dim(d)) r = i;
  }
  return r;
}

void drop_above(StridesRequirement& r, int cut, int rank) {
  for (int i = cut + 1; i < rank; ++i) r.remove(i);
}

/// Where `a` requires nothing at positions below `end` and `requirement` does, both `a` and `b` take it.
void fill(StridesRequirement& a, StridesRequirement& b, const StridesRequirement& requirement, int end) {
  for (int i = 0; i < end; ++i) {
    if (a.at(i) != StrideRule::Any || requirement.at(i) == StrideRule::Any) continue;
    a.set(i, requirement.at(i));
    b.set(i, requirement.at(i));
  }
}

void fill_from_consumers(StridesRequirement& a, StridesRequirement& b, const Data* d, int end) {
  for (const Use& u : d->consumers()) {
    const StrideRequirements w = stride_requirements(*u.stage);
    if (const auto& requirement = w.inputs.at(static_cast<size_t>(u.port))) fill(a, b, *requirement, end);
  }
}

void stub_concat_strides(const Stage& s, StrideRequirements& w) {
  const Data* out = s.output(0);
  const int rank = out->desc.rank();
  int cut = rank - 1;
  for (const Data* in : s.inputs()) cut = first_cut(out, in, cut);
  StridesRequirement out_required = out->required_strides, in_required = out_required;
  drop_above(in_required, cut, rank);
  for (const Data* in : s.inputs()) fill(out_required, in_required, in->required_strides, cut + 1);
  fill_from_consumers(out_required, in_required, out, cut + 1);
  for (auto& i : w.inputs) i = in_required;
  w.outputs.at(0) = out_required;
}

void split_strides(const Stage& s, StrideRequirements& w) {
  const Data* in = s.input(0);
  const int rank = in->desc.rank();
  int cut = rank;
  for (const Data* out : s.outputs()) cut = first_cut(in, out, cut);
  StridesRequirement in_required = in->required_strides, out_required = in_required;
  for (const Data* out : s.outputs()) fill_from_consumers(in_required, out_required, out, rank);
  drop_above(out_required, cut, rank);
  w.inputs.at(0) = in_required;
  for (auto& o : w.outputs) o = out_required;
}

void expand_strides(const Stage& s, StrideRequirements& w) {
  const Data* out = s.output(0);
  const int rank = out->desc.rank(), cut = first_cut(out, s.input(0), rank);
  StridesRequirement out_required = out->required_strides, in_required = out_required;
  drop_above(in_required, cut, rank);
  fill_from_consumers(out_required, in_required, out, std::min(cut + 1, rank));
  w.inputs.at(0) = in_required;
  w.outputs.at(0) = out_required;
}

constexpr StageRow stub(StageType t, const char* types) { return {.type = t, .batch = split_batch, .types = types}; }

constexpr StageRow kDefs[] = {
    {.type = StageType::StubConcat, .order = concat_order, .strides = stub_concat_strides, .types = "T T* -> T"},
    {.type = StageType::Split, .order = output_keeps_order, .strides = split_strides, .types = "T -> T*"},
    {.type = StageType::Crop, .order = output_keeps_order, .strides = split_strides, .types = "T T* -> T"},
    {.type = StageType::Expand, .order = output_keeps_order, .strides = expand_strides, .types = "T -> T"},
    {.type = StageType::Reshape, .order = default_orders, .strides = compact_first, .types = "T -> T"},
    stub(StageType::StubConv, "FP16 FP16 FP16 FP16 -> FP16"),
    stub(StageType::StubFullyConnected, "FP16 FP16 FP16 FP16 -> FP16"),
    stub(StageType::StubDeconv, "FP16 FP16 FP16 FP16 -> FP16"),
    {.type = StageType::StubMaxPool, .types = "FP16 -> FP16"},
    {.type = StageType::StubAvgPool, .types = "FP16 -> FP16"},
    {.type = StageType::StubPriorBox, .types = "FP16 FP16 -> FP16"},
    {.type = StageType::StubPriorBoxClustered, .types = "FP16 FP16 -> FP16"},
};

}  // namespace

std::span<const StageRow> special_stage_defs() { return kDefs; }

}  // namespace blobsmith::vpu
