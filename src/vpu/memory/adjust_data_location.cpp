// adjustDataLocation (memory spec §5): DDR or CMX for every intermediate buffer. The outputs of hardware stages ask
// for CMX. Then the allocator runs; when it fails, the data that hold CMX at that moment are spilled: all their
// readers get a copy in DDR, so that the originals live only until they are copied. When everything fits, the other
// inputs of hardware stages move to CMX one by one as long as the allocator still agrees ("packing").
//
//   conv1 -> a (CMX) -> conv2, ..., conv9, which reads a again
//
// If `a` stands in the way of conv5, it becomes
//
//   conv1 -> a (CMX) -> Copy -> a@DDR-copy (DDR) -> conv2, ..., conv9
#include <algorithm>

#include "vpu/memory/allocator.hpp"
#include "vpu/memory/passes.hpp"
#include "vpu/memory/spill.hpp"
#include "vpu/nce/hw_stage.hpp"
#include "vpu/program/builders.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

bool is_hw(const Stage* s) { return s->category() == StageCategory::HW; }

/// The convolution engine does not write network outputs.
void flush_hw_outputs(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!is_hw(s) || s->output()->top_parent()->usage != DataUsage::Output) return;
    Data* out = s->output();
    Data* buffer = p.duplicate(out, "@intermediate");
    p.replace_output(s, 0, buffer);
    buffer->required_strides = stride_requirements(*s).outputs[0].value_or(StridesRequirement::any());
    add_copy(p, s->name + "@flush-output", s->layer, buffer, out, "copyHwNetOutputs");
  });
}

/// quirk: the one convolution (a layer of YOLO v2) whose input rather than its output is kept in CMX.
bool prefers_input_in_cmx(const Stage& s) {
  const auto& hw = s.get<HwStage>();
  const DataDesc& in = s.input(0)->desc;
  return hw.op == HwOpType::Conv && hw.kernel_x == 3 && hw.kernel_y == 3 && hw.stride == 1 && hw.pad.enabled() &&
         in.dim(Dim::W, 0) == 13 && in.dim(Dim::H, 0) == 13 && in.dim(Dim::C, 0) == 352 &&
         s.output()->desc.dim(Dim::C, 0) == 1024;
}

void ask_for_memory(Program& p) {
  p.for_each_stage([](Stage* s) {
    if (is_hw(s)) (prefers_input_in_cmx(*s) ? s->input(0) : s->output())->set_memory_type_of_tree(MemoryType::CMX);
  });
}

/// From here on, of several successors of a stage those that write DDR run first. Which ones do is fixed now; stages
/// made later count as writing DDR.
void order_by_memory(Program& p) {
  std::vector<char> writes_cmx(p.stage_id_end(), 0);
  for (Stage* s : p.stages()) {
    if (s->output_count() != 1 || s->output()->memory_type != MemoryType::CMX) continue;
    writes_cmx[static_cast<size_t>(s->id())] = 1;
  }
  p.set_successor_order([flags = std::move(writes_cmx)](const Stage* a, const Stage* b) {
    const auto flag = [&](const Stage* s) {
      return static_cast<size_t>(s->id()) < flags.size() && flags[static_cast<size_t>(s->id())];
    };
    return flag(a) != flag(b) ? flag(b) : a->id() < b->id();
  });
}

void allocate_with_spills(Program& p, Allocator& allocator) {
  std::vector<int> failed;  // ids
  while (const AllocationFailure failure = allocator.run()) {
    const bool again = std::ranges::find(failed, failure.stage->id()) != failed.end();
    const bool hopeless = failure.data && failure.data->memory_type != MemoryType::CMX;
    if (again || hopeless || !spill_to_ddr(p, allocator.live_cmx_data(), *failure.stage))
      throw_allocation_failure(p, failure);
    failed.push_back(failure.stage->id());
  }
}

/// The engine reads only from multiples of 16 bytes.
void copy_misaligned_hw_inputs(Program& p) {
  p.for_each_stage([&](Stage* s) {
    if (!is_hw(s) || s->input(0)->placement.offset % 16 == 0) return;
    Data* in = s->input(0);
    Data* aligned = p.duplicate(in, "@aligned-ptr");
    aligned->required_strides = in->required_strides;
    add_copy(p, s->name + "@align-input-ptr", s->layer, in, aligned, "copyHwMisalignedInput");
    p.replace_input(s, 0, aligned);
  });
}

/// Buffers in DDR that hardware stages read, unless their writer needs all SHAVEs or they were spilled.
std::vector<Data*> packing_candidates(Program& p) {
  std::vector<Data*> queue;
  for (const Stage* s : p.stages()) {
    if (!is_hw(s)) continue;
    for (Data* in : s->inputs()) {
      Data* top = in->top_parent();
      if (top->usage != DataUsage::Intermediate || top->memory_type == MemoryType::CMX) continue;
      const Stage* producer = in->producer_stage();
      if (!producer || is_spill(*producer) || shave_requirement(*producer) == ShaveRequirement::NeedMax) continue;
      if (std::ranges::find(queue, top) == queue.end()) queue.push_back(top);
    }
  }
  return queue;
}

void pack_into_cmx(Program& p, Allocator& allocator) {
  const std::vector<Data*> candidates = packing_candidates(p);
  for (Data* d : candidates) d->marks.packing_candidate = true;
  allocator.forget_stages();
  allocator.learn_stages();
  for (Data* d : candidates) {
    d->set_memory_type_of_tree(MemoryType::CMX);
    if (!allocator.cmx_still_fits(d)) d->set_memory_type_of_tree(MemoryType::DDR);
  }
}

}  // namespace

void adjust_data_location(Program& p) {
  flush_hw_outputs(p);
  ask_for_memory(p);
  if (p.options.hw_acceleration) order_by_memory(p);
  Allocator allocator(p);
  allocate_with_spills(p, allocator);
  copy_misaligned_hw_inputs(p);
  if (p.options.pack_data_in_cmx != Tristate::No) pack_into_cmx(p, allocator);
}

}  // namespace blobsmith::vpu
