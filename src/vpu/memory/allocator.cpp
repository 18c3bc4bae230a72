#include "vpu/memory/allocator.hpp"

#include <algorithm>

#include "vpu/memory/fixed_data.hpp"
#include "vpu/stages/stage_def.hpp"

namespace blobsmith::vpu {
namespace {

bool is_pooled(const Data* d) { return d->usage == DataUsage::Intermediate || d->usage == DataUsage::Temp; }

/// Whoever reads the buffer of `d`, directly, through data inside it, or as a shape: so often will it be released.
int use_count(const Data* d) {
  int n = static_cast<int>(d->consumers().size());
  for (const Data* c : d->children()) n += use_count(c);
  for (const Data* x : d->shape_children()) {
    if (x->usage == DataUsage::Input || x->usage == DataUsage::Output) n += 1;
    else n += x->parent() ? static_cast<int>(x->consumers().size()) : use_count(x);
  }
  return n;
}

bool has_hw_neighbour(const Stage& s) {
  const auto is_hw = [](const Stage* x) { return x && x->category() == StageCategory::HW; };
  for (const Data* d : s.inputs())
    if (is_hw(d->producer_stage())) return true;
  for (const Data* d : s.outputs())
    for (const Use& u : d->consumers())
      if (is_hw(u.stage)) return true;
  return std::ranges::any_of(s.dependency_parents(), is_hw) || std::ranges::any_of(s.dependency_children(), is_hw);
}

/// How many of the available SHAVEs a stage takes.
int shave_count(const Stage& s, ShaveDemand demand, int available) {
  switch (demand) {
    case ShaveDemand::NotNeeded: return 0;
    case ShaveDemand::OnlyOne: return 1;
    case ShaveDemand::TwoOrOne: return std::min(available, 2);
    case ShaveDemand::CanBeLimited: return s.category() == StageCategory::HW || has_hw_neighbour(s) ? std::min(available, 2) : available;
    case ShaveDemand::NeedMax: return available;
  }
  return available;
}

}  // namespace

Allocator::Allocator(Program& program) : program_(program), cmx_(program.resources.cmx_bytes()) {
  program.for_each_data([&](Data* d) {
    const bool io = d->usage == DataUsage::Input || d->usage == DataUsage::Output;
    if (io && d->shape_parent() && d->shape_parent()->usage == DataUsage::Intermediate) io_shapes_.push_back(d->shape_parent());
  });
}

AllocationFailure Allocator::run() {
  fixed_ = place_fixed_data(program_);
  return walk(Mode::Full);
}

Program::MemorySizes Allocator::sizes() const {
  Program::MemorySizes s = fixed_;
  s.bss = ddr_.high_water();
  s.cmx = cmx_.high_water();
  return s;
}

std::vector<Data*> Allocator::live_cmx_data() {
  std::vector<Data*> r;
  program_.for_each_data([&](Data* d) {
    if (static_cast<size_t>(d->id()) < chunks_.size() && is_live(chunk_of(d)) && chunk_of(d).memory == MemoryType::CMX) r.push_back(d);
  });
  std::ranges::sort(r, [&](const Data* a, const Data* b) { return chunk_of(a).sequence > chunk_of(b).sequence; });
  return r;
}

// ---- a run --------------------------------------------------------------------------------------------------------------

void Allocator::begin_run() {
  ddr_.reset();
  cmx_.reset();
  ++run_;
  next_sequence_ = 0;
  locked_shaves_ = 0;
  chunks_.resize(program_.data_id_end());
  chunk_sizes_.resize(program_.data_id_end(), -1);
  demands_.resize(program_.stage_id_end(), -1);
}

// A stage's inputs are alive while its outputs and temporaries are placed: nothing is computed in place.
AllocationFailure Allocator::walk(Mode mode) {
  begin_run();
  for (Stage* s : program_.stages()) {
    locked_shaves_ = 0;
    if (mode == Mode::Full) s->num_shaves = 0;
    const ShaveDemand demand = demand_of(*s);
    if (demand == ShaveDemand::NeedMax && !lock_shaves(*s, demand, mode)) return {s, nullptr};
    if (Data* d = allocate_outputs(*s, mode)) return {s, d};
    if (mode == Mode::Full)
      for (Data* t : s->temps())
        if (!allocate(t, mode)) return {s, t};
    if (demand != ShaveDemand::NeedMax && !lock_shaves(*s, demand, mode)) return {s, nullptr};
    release_inputs(*s, mode);
    if (mode == Mode::Full)
      for (Data* t : s->temps()) release(t);
    // Nothing in a loop may reuse what its end writes.
    if (s->is(StageType::LoopStart))
      if (const Stage* end = program_.find_stage(static_cast<int>(s->attrs.integer("loop-end", -1))))
        if (Data* d = allocate_outputs(*end, mode)) return {s, d};
  }
  for (Data* shape : io_shapes_)
    if (mode == Mode::Full || shape->memory_type == MemoryType::CMX) release(shape);
  return {};
}

Data* Allocator::allocate_outputs(const Stage& s, Mode mode) {
  for (Data* d : s.outputs()) {
    if ((mode == Mode::CmxOnly && d->memory_type != MemoryType::CMX) || allocate(d, mode)) continue;
    if (mode == Mode::Full && d->memory_type == MemoryType::CMX && unpack(d) && allocate(d, mode)) continue;
    return d;
  }
  return nullptr;
}

// ---- taking packed data out of CMX (memory spec §6.3) -------------------------------------------------------------------

/// Makes room for `failed`: it goes to DDR itself when it was packed, else the newest packed data in CMX does.
bool Allocator::unpack(Data* failed) {
  if (failed->attrs.flag(kPackingCandidate)) {
    if (is_live(chunk_of(failed))) {
      const Use producer = failed->producer();
      if (producer.stage && producer.port == 0 && producer.stage->category() == StageCategory::HW) return true;
      move_to_ddr(failed);
    }
    failed->set_memory_type_of_tree(MemoryType::DDR);
    failed->attrs.erase(kPackingCandidate);
    return true;
  }
  for (Data* d : live_cmx_data()) {
    if (!d->attrs.flag(kPackingCandidate)) continue;
    move_to_ddr(d);
    d->set_memory_type_of_tree(MemoryType::DDR);
    d->attrs.erase(kPackingCandidate);
    return true;
  }
  return false;
}

void Allocator::move_to_ddr(Data* d) {
  Chunk& c = chunk_of(d);
  cmx_.free(c.offset, c.size);
  c.memory = MemoryType::DDR;
  c.offset = *ddr_.allocate(c.size);
  d->placement = {Location::BSS, c.offset};
  place_children(d);
}

// ---- one data object ----------------------------------------------------------------------------------------------------

bool Allocator::allocate(Data* d, Mode mode) {
  d = d->top_parent();
  if (d->usage == DataUsage::Fake) return true;
  if (!is_pooled(d)) return d->memory_type == MemoryType::DDR;  // it has its place
  Chunk& c = chunk_of(d);
  if (is_live(c)) return c.memory == d->memory_type;

  const int uses = d->usage == DataUsage::Temp ? 1 : use_count(d);
  if (uses == 0) throw Error(ErrorCode::AllocationFailed, "data \"" + d->name + "\" is written, but never read");
  const int64_t size = chunk_size(d);
  const bool in_cmx = d->memory_type == MemoryType::CMX;
  const auto offset = pool(d->memory_type).allocate(size, in_cmx ? locked_shaves_ * Resources::kCmxSliceBytes : 0);
  if (!offset) return false;
  c = {*offset, size, run_, uses, next_sequence_++, d->memory_type};
  if (mode == Mode::CmxOnly) return true;
  // CMX is filled from its end downwards.
  d->placement = in_cmx ? Placement{Location::CMX, cmx_.capacity() - *offset - size} : Placement{Location::BSS, *offset};
  place_children(d);
  return true;
}

void Allocator::drop_use(const Data* top) {
  Chunk& c = chunk_of(top);
  if (!is_live(c)) return;  // a shape in DDR in a run over CMX only
  if (--c.uses == 0) pool(c.memory).free(c.offset, c.size);
}

void Allocator::release(Data* d) {
  const auto release_shape_of = [&](const Data* x) {
    if (x->shape_parent() && is_pooled(x->shape_parent())) drop_use(x->shape_parent()->top_parent());
  };
  const Data* top = d->top_parent();
  if (top != d) release_shape_of(d);
  if (!is_pooled(top)) return;
  release_shape_of(top);
  drop_use(top);
}

void Allocator::release_inputs(const Stage& s, Mode mode) {
  for (Data* d : s.inputs())
    if (mode == Mode::Full || d->memory_type == MemoryType::CMX) release(d);
}

// ---- SHAVEs (memory spec §6.4) ------------------------------------------------------------------------------------------

// A SHAVE works in its own CMX slice, so the slices that hold data are not available.
bool Allocator::lock_shaves(Stage& s, ShaveDemand demand, Mode mode) {
  if (demand == ShaveDemand::NotNeeded) return true;
  const Resources& r = program_.resources;
  const int used_slices = static_cast<int>(ceil_div(cmx_.top(), Resources::kCmxSliceBytes));
  const int available = std::min(r.slices - used_slices, r.shaves);
  if (available <= 0 || (demand == ShaveDemand::NeedMax && available < r.shaves)) return false;
  locked_shaves_ = shave_count(s, demand, available);
  if (mode == Mode::CmxOnly) return true;
  s.num_shaves = locked_shaves_;
  if (s.injected()) s.injected()->num_shaves = locked_shaves_;
  return true;
}

// ---- what does not change from run to run -------------------------------------------------------------------------------

int64_t Allocator::chunk_size(const Data* d) {
  int64_t& size = chunk_sizes_[static_cast<size_t>(d->id())];
  if (size < 0) size = align_up(checked_bytes(*d), kDataAlignment);
  return size;
}

ShaveDemand Allocator::demand_of(const Stage& s) {
  const auto own = [&](const Stage& x) {
    int8_t& demand = demands_[static_cast<size_t>(x.id())];
    if (demand < 0) demand = static_cast<int8_t>(x.category() == StageCategory::HW ? ShaveDemand::NotNeeded : shave_demand(x));
    return static_cast<ShaveDemand>(demand);
  };
  return s.injected() ? std::max(own(s), own(*s.injected())) : own(s);
}

// ---- errors -------------------------------------------------------------------------------------------------------------

void throw_allocation_failure(const Program& program, const AllocationFailure& failure) {
  const Resources& r = program.resources;
  const std::string stage = "stage " + failure.stage->name + " with type " + to_string(failure.stage->type);
  const std::string have = std::to_string(r.slices) + " CMX slices";
  std::string what = failure.data ? "no room for data \"" + failure.data->name + "\"" + (failure.data->memory_type == MemoryType::CMX ? " in " + have : "")
                                  : std::to_string(r.shaves) + " SHAVEs can't be freed in " + have;
  Error e(ErrorCode::AllocationFailed, "Memory allocation failed: unable to satisfy requirements for " + stage + ": " + what);
  if (failure.stage->layer) e.at_layer(failure.stage->layer->name, failure.stage->layer->type);
  throw e.hint(failure.data ? "give the network more CMX slices, or smaller tensors" : "give the network fewer SHAVEs or more CMX slices");
}

}  // namespace blobsmith::vpu
