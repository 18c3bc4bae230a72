// Stages that shape the data and never reach a blob: views of other data and the stubs that later passes replace
// (stages spec §13, memory spec §2.2).
#include <algorithm>

#include "vpu/stages/rules.hpp"

namespace blobsmith::vpu {
namespace {

using namespace rules;

// ---- strides: what one side of a view demands holds for the other, up to the dimension along which it is cut
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

/// Where `a` demands nothing at positions below `end` and `demand` does, both `a` and `b` take it.
void fill(StridesRequirement& a, StridesRequirement& b, const StridesRequirement& demand, int end) {
  for (int i = 0; i < end; ++i) {
    if (a.at(i) != StrideRule::Any || demand.at(i) == StrideRule::Any) continue;
    a.set(i, demand.at(i));
    b.set(i, demand.at(i));
  }
}

void fill_from_consumers(StridesRequirement& a, StridesRequirement& b, const Data* d, int end) {
  for (const Use& u : d->consumers()) {
    const StrideWishes w = stride_wishes(*u.stage);
    if (const auto& demand = w.inputs.at(static_cast<size_t>(u.port))) fill(a, b, *demand, end);
  }
}

void stub_concat_strides(const Stage& s, StrideWishes& w) {
  const Data* out = s.output(0);
  const int rank = out->desc.rank();
  int cut = rank - 1;
  for (const Data* in : s.inputs()) cut = first_cut(out, in, cut);
  StridesRequirement out_wish = out->required_strides, in_wish = out_wish;
  drop_above(in_wish, cut, rank);
  for (const Data* in : s.inputs()) fill(out_wish, in_wish, in->required_strides, cut + 1);
  fill_from_consumers(out_wish, in_wish, out, cut + 1);
  for (auto& i : w.inputs) i = in_wish;
  w.outputs.at(0) = out_wish;
}

void split_strides(const Stage& s, StrideWishes& w) {
  const Data* in = s.input(0);
  const int rank = in->desc.rank();
  int cut = rank;
  for (const Data* out : s.outputs()) cut = first_cut(in, out, cut);
  StridesRequirement in_wish = in->required_strides, out_wish = in_wish;
  for (const Data* out : s.outputs()) fill_from_consumers(in_wish, out_wish, out, rank);
  drop_above(out_wish, cut, rank);
  w.inputs.at(0) = in_wish;
  for (auto& o : w.outputs) o = out_wish;
}

void expand_strides(const Stage& s, StrideWishes& w) {
  const Data* out = s.output(0);
  const int rank = out->desc.rank(), cut = first_cut(out, s.input(0), rank);
  StridesRequirement out_wish = out->required_strides, in_wish = out_wish;
  drop_above(in_wish, cut, rank);
  fill_from_consumers(out_wish, in_wish, out, std::min(cut + 1, rank));
  w.inputs.at(0) = in_wish;
  w.outputs.at(0) = out_wish;
}

constexpr StageDef stub(StageType t, const char* types) { return {.type = t, .batch = split_batch, .types = types}; }

constexpr StageDef kDefs[] = {
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

std::span<const StageDef> special_stage_defs() { return kDefs; }

}  // namespace blobsmith::vpu
