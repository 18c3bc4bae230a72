#include "vpu/memory/spill.hpp"

#include "vpu/program/builders.hpp"

namespace blobsmith::vpu {
namespace {

Data* make_ddr_copy(Program& p, Data* d, const Stage& failed) {
  Data* copy = p.duplicate(d, "@DDR-copy");
  copy->required_strides = d->required_strides;
  add_copy(p, d->name + "@move-to-DDR", failed.layer, d, copy, "CopyFromCMXToDDRAdjustment")
      ->change<CopySpec>([](CopySpec& spec) { spec.spill = true; });
  return copy;
}

/// The views into `d` that its reader `s` makes.
std::vector<Data*> views_made_by(const Stage* s, const Data* d) {
  std::vector<Data*> views;
  for (Data* c : d->children())
    if (c->sharing()->direction == Sharing::Direction::ParentWritesToChild && c->sharing()->stage == s)
      views.push_back(c);
  return views;
}

}  // namespace

bool is_spill(const Stage& s) { return s.is(StageType::Copy) && s.get<CopySpec>().spill; }

bool spill_to_ddr(Program& p, const std::vector<Data*>& live, const Stage& failed) {
  struct Edge {
    Data* data;
    Use use;
  };
  std::vector<Edge> edges;
  for (Data* d : live)
    for (const Use& u : d->consumers())
      if (!is_spill(*u.stage)) edges.push_back({d, u});

  const Data* copied = nullptr;
  Data* copy = nullptr;
  for (const auto& [d, use] : edges) {
    if (d != copied) {
      copied = d;
      copy = make_ddr_copy(p, d, failed);
    }
    const std::vector<Data*> views = views_made_by(use.stage, d);
    p.replace_input(use.stage, use.port, copy);
    for (Data* v : views) p.replace_parent(v, copy);  // they move to DDR with it
  }
  return !edges.empty();
}

}  // namespace blobsmith::vpu
