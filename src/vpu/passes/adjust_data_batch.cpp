// adjustDataBatch (middle-end spec §3.23): stages that can only take one batch item at a time (BatchRequirements say
// which) are taken out of the batch. Connected ones are treated together: one or two of them are duplicated per
// item, longer runs are put into a loop that the device executes once per item.
//
// With a batch of 2, "in -> conv -> out" becomes
//
//   in  -> Split -> conv@batch=1/2 ->  Concat -> out
//                -> conv@batch=2/2 ->
//
// and a run of three convolutions becomes
//
//   in -> LoopStart -> conv1 -> conv2 -> conv3 -> LoopEnd -> out
//
// where LoopStart slices `in` and LoopEnd fills `out` along N. Weights and whatever else is not split enter the loop
// too when a stage computes them, and then lie in the same memory inside and outside.
#include <algorithm>
#include <map>

#include "vpu/options/faults.hpp"
#include "vpu/passes/passes.hpp"
#include "vpu/program/edits.hpp"
#include "vpu/program/loops.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

constexpr size_t kMaxDuplicated = 2;
using Stages = std::vector<Stage*>;

/// Ports of inputs that are processed one batch item at a time.
std::vector<int> split_ports(const Stage& s) {
  const BatchRequirements requirements = batch_requirements(s);
  std::vector<int> r;
  for (size_t i = 0; i < requirements.inputs.size(); ++i)
    if (requirements.inputs[i].value_or(false)) r.push_back(static_cast<int>(i));
  return r;
}

bool is_split_port(const Stage& s, int port) { return std::ranges::count(split_ports(s), port) != 0; }

/// The batch of a stage: how many items, and the id of the data whose batch it is.
struct Batch {
  int64_t size = 1;
  int data = -1;
};
using Batches = std::map<const Stage*, Batch>;  // looked up, never walked

/// The stages with a batch.
Stages collect(Program& p, Batches& batches) {
  Stages r;
  for (Stage* s : p.stages()) {
    const std::vector<int> ports = split_ports(*s);
    if (ports.empty()) continue;
    const int64_t batch = s->input(ports[0])->desc.dim(Dim::N, 1);
    const auto differs = [batch](const Data* d) { return d->desc.dim(Dim::N, 1) != batch; };
    if (std::ranges::any_of(ports, [&](int port) { return differs(s->input(port)); }) ||
        std::ranges::any_of(s->outputs(), differs)) {
      throw cannot_compile(*s, "inputs and outputs differ in their batch");
    }
    if (batch == 1) continue;
    batches[s] = {batch, s->input(ports[0])->id()};
    r.push_back(s);
  }
  return r;
}

bool contains(const Stages& v, const Stage* s) { return std::ranges::find(v, s) != v.end(); }

/// Takes the next run of connected stages out of `remaining`.
Stages take_sub_graph(Stages& remaining) {
  Stages taken;
  for (size_t i = 0; i < remaining.size();) {
    Stage* s = remaining[i];
    const Stages before = s->previous(), after = s->next();
    const bool joins = taken.empty() || std::ranges::all_of(before, [&](const Stage* b) { return contains(taken, b); });
    const bool last = std::ranges::any_of(after, [&](const Stage* n) { return !contains(remaining, n); });
    if (joins) {
      taken.push_back(s);
      remaining.erase(remaining.begin() + static_cast<ptrdiff_t>(i));
    } else {
      ++i;
    }
    if (last) break;
  }
  return taken;
}

// ---- duplicate ----

class Duplicator {
 public:
  Duplicator(Program& p, const Stages& stages, int64_t batch) : p_(p), stages_(stages), batch_(batch) {}

  void run() {
    check_part_count(*stages_[0], batch_);
    for (Stage* s : stages_) {
      tile_inputs(*s);
      tile_outputs(*s);
      duplicate(*s);
    }
    for (Stage* s : stages_) p_.remove(s);
    // quirk: the reference walks hash maps here; with several entries the newest comes first.
    for (auto it = inputs_.rbegin(); it != inputs_.rend(); ++it)
      add_split(p_, (*it)->name + "@split-batch", nullptr, Dim::N, *it, tiles_.at(*it));
    for (auto it = outputs_.rbegin(); it != outputs_.rend(); ++it)
      add_concat(p_, (*it)->name + "@concat-batch", nullptr, Dim::N, tiles_.at(*it), *it);
  }

 private:
  void make_tiles(Data* d) {
    std::vector<Data*>& tiles = tiles_[d];
    for (int64_t b = 0; b < batch_; ++b)
      tiles.push_back(p_.duplicate(d, "@batch=" + part_of(b + 1, batch_), d->desc.with_dim(Dim::N, 1)));
  }

  void tile_inputs(const Stage& s) {
    for (int port : split_ports(s)) {
      Data* in = s.input(port);
      if (tiles_.contains(in)) continue;
      make_tiles(in);
      if (!contains(stages_, in->producer_stage())) inputs_.push_back(in);
    }
  }

  void tile_outputs(const Stage& s) {
    for (Data* out : s.outputs()) {
      make_tiles(out);
      const bool inside = is_intermediate(out) && std::ranges::all_of(out->consumers(), [&](const Use& u) {
                            return contains(stages_, u.stage);
                          });
      if (!inside) outputs_.push_back(out);
    }
  }

  void duplicate(const Stage& s) {
    const std::vector<int> ports = split_ports(s);
    for (int64_t b = 0; b < batch_; ++b) {
      const auto i = static_cast<size_t>(b);
      std::vector<Data*> ins = s.inputs(), outs;
      for (int port : ports) ins[static_cast<size_t>(port)] = tiles_.at(s.input(port))[i];
      for (Data* out : s.outputs()) outs.push_back(tiles_.at(out)[i]);
      Stage* part = p_.duplicate(&s, "@batch=" + part_of(b + 1, batch_), std::move(ins), std::move(outs));
      if (part->is(StageType::StubConv))
        part->change<StubSpec>([&](StubSpec& stub) { stub.conv_output = part->output()->desc; });
    }
  }

  Program& p_;
  const Stages& stages_;
  int64_t batch_;
  std::map<Data*, std::vector<Data*>> tiles_;  // looked up, never walked
  std::vector<Data*> inputs_, outputs_;        // of the sub-graph, oldest first
};

// ---- loop ----

class LoopMaker {
 public:
  LoopMaker(Program& p, const Stages& stages, const Batch& batch) : p_(p), stages_(stages), batch_(batch) {}

  void run() {
    const Stage& first = *stages_[0];
    const Data* batch_data = p_.find_data(batch_.data);
    for (Stage* s : stages_) {
      for (int port = 0; port < s->input_count(); ++port) enter(s, port);
      for (int port = 0; port < s->output_count(); ++port) leave(s, port);
    }
    if (batch_data->shape_parent()) throw not_yet_supported(first, "a loop over a dynamic batch");

    Stage* start = add_loop_start(p_, first.name + "@LoopStart@Batch", start_inputs_, start_outputs_);
    Stage* end = add_loop_end(p_, stages_.back()->name + "@LoopEnd@Batch", end_inputs_, end_outputs_);
    std::ranges::sort(start_components_);
    std::ranges::sort(end_components_);
    LoopSpec spec;
    spec.iterations = batch_.size;
    spec.components = std::move(end_components_);
    end->set(spec);
    spec.components = std::move(start_components_);
    spec.end_stage = end->id();
    start->set(std::move(spec));
  }

 private:
  static DataDesc one_item(const Data* d) { return d->desc.with_dim(Dim::N, 1); }
  static int64_t last_index(const std::vector<Data*>& v) { return static_cast<int64_t>(v.size()) - 1; }

  void enter(Stage* s, int port) {
    Data* in = s->input(port);
    if (contains(stages_, in->producer_stage())) return;
    const bool iterated = is_split_port(*s, port);
    if (!iterated && !in->producer_stage()) return;
    start_inputs_.push_back(in);
    end_inputs_.push_back(in);
    Data* inner = p_.duplicate(in, "@loop", iterated ? one_item(in) : in->desc);
    start_outputs_.push_back(inner);
    if (iterated)
      start_components_.push_back({last_index(start_inputs_), IterationRule{}, last_index(start_outputs_)});
    else
      in->marks.start_shared = inner->id();
    p_.replace_input(s, port, inner);
  }

  void leave(Stage* s, int port) {
    Data* out = s->output(port);
    Data* inner = p_.duplicate(out, "@loop", one_item(out));
    p_.replace_output(s, port, inner);
    const bool outside = out->usage == DataUsage::Output || std::ranges::any_of(out->consumers(), [&](const Use& u) {
                           return !contains(stages_, u.stage);
                         });
    if (!outside) {
      p_.redirect_consumers(out, inner);
      return;
    }
    if (!reproduces(p_.options, Fault::BatchCycle)) read_inside(out, inner);
    end_inputs_.push_back(inner);
    end_outputs_.push_back(out);
    end_components_.push_back({last_index(end_outputs_), IterationRule{}, last_index(end_inputs_)});
  }

  /// What is read both inside and outside of the loop makes a cycle in the reference: it waits for the whole inside.
  void read_inside(Data* out, Data* inner) {
    for (const Use& u : std::vector<Use>(out->consumers()))
      if (contains(stages_, u.stage)) p_.replace_input(u.stage, u.port, inner);
  }

  Program& p_;
  const Stages& stages_;
  const Batch& batch_;
  std::vector<Data*> start_inputs_, start_outputs_, end_inputs_, end_outputs_;
  LoopComponents start_components_, end_components_;
};

}  // namespace

void adjust_data_batch(Program& p) {
  Batches batches;
  Stages remaining = collect(p, batches);
  while (!remaining.empty()) {
    const Stages stages = take_sub_graph(remaining);
    const Batch& batch = batches.at(stages[0]);
    const Data* batch_data = p.find_data(batch.data);
    if (stages.size() <= kMaxDuplicated && batch_data && !batch_data->shape_parent())
      Duplicator(p, stages, batch.size).run();
    else
      LoopMaker(p, stages, batch).run();
  }
}

}  // namespace blobsmith::vpu
