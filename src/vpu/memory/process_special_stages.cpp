// processSpecialStages (memory spec §4, middle-end spec §3.32): stages that only regroup bytes compute nothing;
// their data become views of one buffer. Where that can't be, a Copy stage is put between.
//
// Concat of a (16 channels) and b (16 channels) into `whole` (32 channels):
//
//   a     lies in whole at offset {C: 0}      ChildWritesToParent: its producer writes there
//   b     lies in whole at offset {C: 16}
//
// Split and Crop are the same the other way round (ParentWritesToChild), Expand is a Concat of one, and a Reshape
// gives the same bytes another description. A copy is needed when the data has a place of its own (a network input
// or output, a constant, a part of another view), or when a stage that writes or reads it can't work with the
// strides of the larger buffer. Behind a hardware stage the copy is made in any case and marked as optional:
// eliminateCopyStages removes it where it may.
#include "vpu/memory/passes.hpp"
#include "vpu/options/faults.hpp"
#include "vpu/program/builders.hpp"
#include "vpu/program/loops.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

using Mode = Sharing::Mode;
using Direction = Sharing::Direction;

/// May not become a part of another data object: it has a place of its own, or lies inside one already.
bool is_fixed(const Data* d) { return d->usage != DataUsage::Intermediate || d->parent(); }

// ---- equal Expands ----

/// quirk: neither the offsets nor the strides of the Expands are compared.
bool differs(const Program& p, const Stage& a, const Stage& b) {
  return !reproduces(p.options, Fault::MergedExpands) && !(a.get<OffsetSpec>().offset == b.get<OffsetSpec>().offset);
}

bool has_twins(const Program& p, const Stage* expand) {
  bool found = false;
  for (const Use& u : expand->input(0)->consumers()) {
    if (u.stage == expand || !u.stage->is(StageType::Expand)) continue;
    const Data* out = u.stage->output();
    if (out->usage != DataUsage::Intermediate || !(out->desc.dims == expand->output()->desc.dims) ||
        differs(p, *u.stage, *expand))
      return false;
    found = true;
  }
  return found;
}

void merge_equal_expands(Program& p) {
  p.for_each_stage([&](Stage* expand) {
    if (!expand->is(StageType::Expand) || !has_twins(p, expand)) return;
    const std::vector<Use> uses = expand->input(0)->consumers();
    for (const Use& u : uses) {
      if (u.stage == expand || !u.stage->is(StageType::Expand)) continue;
      p.redirect_consumers(u.stage->output(), expand->output());
      p.remove(u.stage);
    }
  });
}

// ---- is a copy needed? ----

bool fits(const Data* child, const DimValues& strides, const std::optional<StridesRequirement>& required) {
  return !required || strides_satisfy(child->desc, strides, *required);
}

bool consumers_accept(const Data* d, const DimValues& strides) {
  for (const Use& u : d->consumers())
    if (!fits(d, strides, stride_requirements(*u.stage).inputs[static_cast<size_t>(u.port)])) return false;
  return true;
}

enum class CopyNeed { No, Optional, Mandatory };

/// For a data object that shall be written straight into `parent`. After a hardware stage the copy is made in any case,
/// and eliminateCopyStages tries to do without it.
CopyNeed input_copy_need(const Data* d, const Data* parent) {
  if (is_fixed(d)) return CopyNeed::Mandatory;
  const DimValues strides = parent->strides();
  if (!fits(d, strides, d->required_strides) || !consumers_accept(d, strides)) return CopyNeed::Mandatory;
  const Stage* producer = d->producer_stage();
  if (!producer) return CopyNeed::No;
  if (!fits(d, strides, stride_requirements(*producer).outputs[static_cast<size_t>(d->producer().port)]))
    return CopyNeed::Mandatory;
  return producer->category() == StageCategory::HW ? CopyNeed::Optional : CopyNeed::No;
}

/// For a data object that shall be a view into `parent`.
bool output_copy_needed(const Data* d, const Data* parent) {
  if (is_fixed(d)) return true;
  const DimValues strides = parent->strides();
  return !fits(d, strides, d->required_strides) || !consumers_accept(d, strides);
}

// ---- copies ----

std::string copy_name(const Stage* s, const char* side, int port, int port_count) {
  return s->name + (port_count > 1 ? "@" + std::string(side) + "=" + std::to_string(port) : "") + "@copy-for-" +
         to_string(s->type);
}

/// The stage reads a copy from now on.
Data* copy_input(Program& p, Stage* s, int port) {
  Data* d = s->input(port);
  Data* copy = d->usage == DataUsage::Const ? p.add_data(d->name + "@copy", d->desc) : p.duplicate(d, "@copy");
  if (s->is(StageType::Reshape)) copy->update_required_strides(StridesRequirement::compact());
  add_copy(p, copy_name(s, "input", port, s->input_count()), s->layer, d, copy, "processSpecialStages");
  p.replace_input(s, port, copy);
  return copy;
}

Data* copy_input_if_needed(Program& p, Stage* s, int port, const Data* parent) {
  Data* d = s->input(port);
  const CopyNeed need = input_copy_need(d, parent);
  if (need == CopyNeed::No) return d;
  Data* copy = copy_input(p, s, port);
  copy->producer_stage()->change<CopySpec>([&](CopySpec& spec) { spec.optional = need == CopyNeed::Optional; });
  return copy;
}

Data* copy_output_if_needed(Program& p, Stage* s, int port, const Data* parent) {
  Data* d = s->output(port);
  if (!output_copy_needed(d, parent)) return d;
  Data* copy = p.duplicate(d, "@copy");
  p.replace_output(s, port, copy);
  add_copy(p, copy_name(s, "output", port, s->output_count()), s->layer, copy, d, "processSpecialStages");
  return copy;
}

// ---- the stages ----

void process_concat(Program& p, Stage* s) {
  const std::vector<DimValues> offsets = s->get<PartsSpec>().offsets;
  for (int port = 0; port < s->input_count(); ++port) {
    Data* child = copy_input_if_needed(p, s, port, s->output());
    p.connect(s->output(), child, Mode::ROI, Direction::ChildWritesToParent, offsets.at(static_cast<size_t>(port)), s);
  }
}

void process_split(Program& p, Stage* s) {
  const std::vector<DimValues> offsets = s->get<PartsSpec>().offsets;
  for (int port = 0; port < s->output_count(); ++port) {
    Data* child = copy_output_if_needed(p, s, port, s->input(0));
    p.connect(s->input(0), child, Mode::ROI, Direction::ParentWritesToChild, offsets.at(static_cast<size_t>(port)), s);
  }
}

void process_expand(Program& p, Stage* s) {
  Data* child = copy_input_if_needed(p, s, 0, s->output());
  p.connect(s->output(), child, Mode::ROI, Direction::ChildWritesToParent, s->get<OffsetSpec>().offset, s);
}

void process_crop(Program& p, Stage* s) {
  Data* child = copy_output_if_needed(p, s, 0, s->input(0));
  p.connect(s->input(0), child, Mode::ROI, Direction::ParentWritesToChild, s->get<OffsetSpec>().offset, s);
}

/// A free input prefers to lie in the output.
void process_reshape(Program& p, Stage* s) {
  Data* in = s->input(0);
  Data* out = s->output();
  if (is_fixed(in) && is_fixed(out)) in = copy_input(p, s, 0);
  if (is_fixed(in))
    p.connect(in, out, Mode::Reshape, Direction::ParentWritesToChild, {}, s);
  else
    p.connect(out, in, Mode::Reshape, Direction::ChildWritesToParent, {}, s);
}

// ---- loops ----

void share_loop_data(Program& p, Data* source, Data* destination) {
  ensure(source && destination, "a loop shares memory with data that is gone");
  if (is_fixed(source))
    p.connect(source, destination, Mode::ROI, Direction::ParentWritesToChild, {}, nullptr,
              Sharing::Connection::Subgraph);
  else
    p.connect(destination, source, Mode::ROI, Direction::ChildWritesToParent, {}, nullptr,
              Sharing::Connection::Subgraph);
}

/// The data inside the loop lie where the outer ones do.
void process_loop_start(Program& p, Stage* s) {
  for (Data* d : s->inputs())
    if (d->marks.start_shared >= 0) share_loop_data(p, d, p.find_data(d->marks.start_shared));
  for (const LoopBackEdge& e : s->get<LoopSpec>().edges) {
    Data* source = p.find_data(e.source);
    Data* target = p.find_data(e.target);
    ensure(source && target, "a back edge of loop '" + s->name + "' leads to data that is gone");
    p.connect(target, source, Mode::ROI, Direction::ChildWritesToParent, {}, nullptr, Sharing::Connection::Subgraph);
  }
}

void process_loop_end(Program& p, Stage* s) {
  for (Data* d : s->outputs())
    if (d->marks.end_shared >= 0) share_loop_data(p, p.find_data(d->marks.end_shared), d);
}

}  // namespace

void process_special_stages(Program& p) {
  merge_equal_expands(p);
  p.for_each_stage([&](Stage* s) {
    switch (s->type) {
      case StageType::StubConcat: process_concat(p, s); break;
      case StageType::Split: process_split(p, s); break;
      case StageType::Expand: process_expand(p, s); break;
      case StageType::Crop: process_crop(p, s); break;
      case StageType::Reshape: process_reshape(p, s); break;
      case StageType::LoopStart: process_loop_start(p, s); break;
      case StageType::LoopEnd: process_loop_end(p, s); break;
      default: break;
    }
  });
}

}  // namespace blobsmith::vpu
