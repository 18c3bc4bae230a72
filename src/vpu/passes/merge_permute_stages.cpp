// Permutes (and reorders) in a row become one; what moves nothing becomes a copy or a reshape (middle-end spec §3.34).
#include <set>

#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

/// Position of the output (0 = innermost) -> position of the input.
using Positions = std::vector<int>;

Positions positions_of(const Stage& permute) {
  const DimsOrder in = permute.input(0)->desc.order, out = permute.output()->desc.order;
  const DimValues& map = permute.get<PermuteSpec>().permutation;
  Positions r;
  for (Dim d : out.dims()) r.push_back(in.position(static_cast<Dim>(map[d])));
  return r;
}

Positions combine(const Positions& first, const Positions& second) {
  Positions r;
  for (int i : second) r.push_back(first.at(static_cast<size_t>(i)));
  return r;
}

DimValues to_permutation(const Positions& positions, DimsOrder in, DimsOrder out) {
  DimValues r;
  for (size_t i = 0; i < positions.size(); ++i)
    r.set(out.at(static_cast<int>(i)), static_cast<int64_t>(in.at(positions[i])));
  return r;
}

/// Only neighbours of which one has size 1 change places. The sizes are looked up in the default order of the rank.
bool moves_nothing(const Positions& r, const DataDesc& in) {
  const DimsOrder order = DimsOrder::of_rank(in.rank());
  const auto size = [&](int i) { return in.dim(order.at(i)); };
  for (int i = 0, n = static_cast<int>(r.size()); i + 1 < n; ++i) {
    const int here = r[static_cast<size_t>(i)], next = r[static_cast<size_t>(i) + 1];
    if (here == i) continue;
    if (here != i + 1 || next != i || (size(i) != 1 && size(i + 1) != 1)) return false;
    ++i;
  }
  return true;
}

using Group = std::vector<Stage*>;

std::vector<Group> groups_of_permutes(Program& p) {
  std::vector<Group> groups;
  std::set<int> visited;
  for (Stage* start : p.stages()) {
    Group group;
    for (Stage* s = start; visited.insert(s->id()).second && s->is(StageType::Permute);) {
      group.push_back(s);
      const Data* out = s->output();
      if (out->usage == DataUsage::Output || out->consumers().size() != 1) break;
      s = out->consumers()[0].stage;
    }
    if (group.size() > 1) groups.push_back(std::move(group));
  }
  return groups;
}

void merge(Program& p, const Group& group) {
  Stage* first = group[0];
  Positions positions = positions_of(*first);
  std::optional<DimsOrder> layout = first->get<PermuteSpec>().output_order;
  for (size_t i = 1; i < group.size(); ++i) {
    Stage* s = group[i];
    if (const auto order = s->get<PermuteSpec>().output_order) layout = order;
    positions = combine(positions, positions_of(*s));
    Data *between = s->input(0), *out = s->output();
    p.remove(s);
    p.replace_output(first, 0, out);
    p.remove(between);
  }
  Data *in = first->input(0), *out = first->output();
  PermuteSpec spec;
  spec.permutation = to_permutation(positions, in->desc.order, out->desc.order);
  spec.output_order = layout;
  first->set(spec);
  if (!moves_nothing(positions, in->desc) || in->desc.order != out->desc.order) return;

  const std::string name = first->name;
  const LayerPtr layer = first->layer;
  p.remove(first);
  if (in->desc.dims == out->desc.dims)
    add_copy(p, name + "@merged-to-copy", layer, in, out, "eliminatePermuteStages");
  else
    add_reshape(p, name + "@merged-to-reshape", layer, in, out);
}

}  // namespace

void merge_permute_stages(Program& p) {
  for (const Group& group : groups_of_permutes(p)) merge(p, group);
}

}  // namespace blobsmith::vpu
