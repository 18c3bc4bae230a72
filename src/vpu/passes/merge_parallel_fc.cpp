// Fully connected stages that read the same data become one, whose output is split (middle-end spec §3.9).
#include <algorithm>

#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"

namespace blobsmith::vpu {
namespace {

bool is_mergeable(const Data& d) {
  const std::vector<Use>& uses = d.consumers();
  if (uses.size() < 2) return false;
  return std::ranges::all_of(uses, [&](const Use& u) {
    return u.stage->is(StageType::StubFullyConnected) && u.stage->input(2)->usage == uses[0].stage->input(2)->usage &&
           u.stage->input(3)->usage == uses[0].stage->input(3)->usage;
  });
}

/// One data that holds all parts along C, the outermost dimension of weights (output count) and vectors; a Fake for
/// none.
Data* merge(Program& p, const std::vector<Data*>& parts) {
  if (parts.empty()) return p.add_fake();
  int64_t total = 0;
  std::vector<Bytes> contents;
  for (const Data* d : parts) {
    total += d->desc.dim(Dim::C);
    contents.push_back(d->content);
  }
  const DataDesc desc = parts[0]->desc.with_dim(Dim::C, total);
  if (!is_const(parts[0])) return p.duplicate(parts[0], "@merge-parallel-fc", desc);
  return p.duplicate(parts[0], "@merge-parallel-fc", desc, contents::joined(contents));
}

std::vector<Data*> real_inputs(const std::vector<Stage*>& stages, int port) {
  std::vector<Data*> r;
  for (const Stage* s : stages)
    if (!is_fake(s->input(port))) r.push_back(s->input(port));
  return r;
}

void merge_consumers(Program& p, Data* in) {
  std::vector<Stage*> targets;
  std::vector<Data*> outputs;
  for (const Use& u : in->consumers()) {
    if (u.port != 0) throw not_yet_supported(*u.stage, "fully connected layers that share data other than their input");
    require_const(*u.stage, 1);
    targets.push_back(u.stage);
    outputs.push_back(u.stage->output());
  }
  const std::vector<Data*> weights = real_inputs(targets, 1), biases = real_inputs(targets, 2),
                           scales = real_inputs(targets, 3);
  for (Stage* s : targets) p.disconnect(s);

  Data* merged_biases = merge(p, biases);
  Data* merged_weights = merge(p, weights);
  Data* merged_scales = merge(p, scales);
  Data* merged_output = merge(p, outputs);
  // quirk: the merged stage has no layer and the first stage's parameters, its scale factor among them.
  Stage* fc = p.add_stage("merged-fc", StageType::StubFullyConnected, nullptr,
                          {in, merged_weights, merged_biases, merged_scales}, {merged_output});
  fc->params = targets[0]->params;
  add_split(p, "merged-fc@split", nullptr, Dim::C, merged_output, outputs);
  for (Stage* s : targets) p.remove(s);
}

}  // namespace

void merge_parallel_fc(Program& p) {
  p.for_each_data([&](Data* d) {
    if (is_mergeable(*d)) merge_consumers(p, d);
  });
}

}  // namespace blobsmith::vpu
