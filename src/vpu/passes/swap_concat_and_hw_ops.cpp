// Max poolings and ReLUs behind a concatenation of channels move into its branches, where they can be merged with the
// convolutions (middle-end spec §3.18).
#include <algorithm>

#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

bool is_swappable(const Stage& concat) {
  return concat.is(StageType::StubConcat) && concat.get<PartsSpec>().axis == Dim::C &&
         std::ranges::all_of(concat.inputs(), [](const Data* d) { return d->consumers().size() == 1; });
}

std::vector<Stage*> stages_to_move(const Stage& concat) {
  std::vector<Stage*> r;
  const Stage* at = &concat;
  while (Stage* next = single_next(*at, {StageType::StubMaxPool, StageType::Relu, StageType::LeakyRelu})) {
    if (next->is(StageType::StubMaxPool) && !tries_hw(*next)) break;
    r.push_back(next);
    at = next;
  }
  return r;
}

void swap(Program& p, Stage* concat, const std::vector<Stage*>& moved) {
  const int n = concat->input_count();
  std::vector<Data*> branches = concat->inputs();
  Data* last_output = moved.back()->output();
  for (Stage* s : moved) {
    Data* old_output = s->output();
    p.disconnect(s);
    for (int i = 0; i < n; ++i) {
      Data*& branch = branches[static_cast<size_t>(i)];
      const std::string postfix = "@sub=" + part_of(i + 1, n);
      Data* out = p.duplicate(old_output, postfix, old_output->desc.with_dim(Dim::C, branch->desc.dim(Dim::C)));
      p.duplicate(s, postfix, {branch}, {out});
      branch = out;
    }
    p.remove(s);
  }
  for (int i = 0; i < n; ++i) p.replace_input(concat, i, branches[static_cast<size_t>(i)]);
  p.replace_output(concat, 0, last_output);
}

}  // namespace

void swap_concat_and_hw_ops(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!is_swappable(*s)) return;
    if (const std::vector<Stage*> moved = stages_to_move(*s); !moved.empty()) swap(p, s, moved);
  });
}

}  // namespace blobsmith::vpu
