// The allocator (memory spec §6). A run walks the stages in execution order; before a stage its outputs get chunks,
// behind it the chunks are freed whose last reader it was. In between it locks the SHAVE processors that it needs,
// whose CMX slices must then hold no data.
//
//   stage        writes   reads   chunks behind it
//   conv1        a                a
//   conv2        b        a       b            (a's place is free again)
//   pool         c        b       c            (may lie where a was)
//
// Views have no chunk: the buffer that they lie in lives as long as the longest of them. Data of loops live until
// the loop's end, for each iteration writes them again. When something does not fit into CMX, the run says what, and
// the caller (adjust_data_location, allocate_resources) decides whether to move data to DDR and to run again.
#include "vpu/memory/allocator.hpp"

#include <algorithm>

#include "vpu/memory/fixed_data.hpp"
#include "vpu/options/faults.hpp"
#include "vpu/program/loops.hpp"
#include "vpu/stages/stage_row.hpp"

namespace blobsmith::vpu {
namespace {

bool is_pooled(const Data* d) { return d->usage == DataUsage::Intermediate || d->usage == DataUsage::Temp; }

/// Whoever reads the buffer of `d`, directly, through data inside it, or as a shape: so often will it be released.
int use_count(const Data* d) {
  int n = static_cast<int>(d->consumers().size());
  for (const Data* c : d->children()) n += use_count(c);
  for (const Data* x : d->shape_children()) {
    if (x->usage == DataUsage::Input || x->usage == DataUsage::Output)
      n += 1;
    else
      n += x->parent() ? static_cast<int>(x->consumers().size()) : use_count(x);
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
int shave_count(const Stage& s, ShaveRequirement requirement, int available) {
  switch (requirement) {
    case ShaveRequirement::NotNeeded: return 0;
    case ShaveRequirement::OnlyOne: return 1;
    case ShaveRequirement::TwoOrOne: return std::min(available, 2);
    case ShaveRequirement::CanBeLimited:
      return s.category() == StageCategory::HW || has_hw_neighbour(s) ? std::min(available, 2) : available;
    case ShaveRequirement::NeedMax: return available;
  }
  return available;
}

}  // namespace

Allocator::Allocator(Program& program) : program_(program), cmx_(program.resources.cmx_bytes()) {
  program.for_each_data([&](Data* d) {
    const bool io = d->usage == DataUsage::Input || d->usage == DataUsage::Output;
    if (io && d->shape_parent() && d->shape_parent()->usage == DataUsage::Intermediate)
      io_shapes_.push_back(d->shape_parent());
  });
}

AllocationFailure Allocator::run() {
  fixed_ = place_fixed_data(program_);
  return walk(Mode::Full, program_.stages());
}

bool Allocator::cmx_fits() {
  forget_stages();
  return !walk(Mode::CmxOnly, program_.stages());
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
    if (static_cast<size_t>(d->id()) < chunks_.size() && is_live(chunk_of(d)) && chunk_of(d).memory == MemoryType::CMX)
      r.push_back(d);
  });
  std::ranges::sort(r, [&](const Data* a, const Data* b) { return chunk_of(a).sequence > chunk_of(b).sequence; });
  return r;
}

// ---- a run ----

void Allocator::begin_run() {
  ddr_.reset();
  cmx_.reset();
  ++run_;
  next_sequence_ = 0;
  locked_shaves_ = 0;
  live_.clear();
  chunks_.resize(program_.data_id_end());
  chunk_sizes_.resize(program_.data_id_end(), -1);
  shave_requirements_.resize(program_.stage_id_end(), -1);
}

AllocationFailure Allocator::walk(Mode mode, const std::vector<Stage*>& stages) {
  begin_run();
  for (Stage* s : stages)
    if (const AllocationFailure failure = run_stage(s, mode)) return failure;
  for (Data* shape : io_shapes_)
    if (mode == Mode::Full || shape->memory_type == MemoryType::CMX) release(shape);
  return {};
}

// A stage's inputs are alive while its outputs and temporaries are placed: nothing is computed in place.
AllocationFailure Allocator::run_stage(Stage* s, Mode mode) {
  locked_shaves_ = 0;
  unread_.clear();
  if (mode == Mode::Full) s->num_shaves = 0;
  const ShaveRequirement requirement = requirement_of(*s);
  if (requirement == ShaveRequirement::NeedMax && !lock_shaves(*s, requirement, mode)) return {s, nullptr};
  if (Data* d = allocate_outputs(*s, mode)) return {s, d};
  if (mode == Mode::Full)
    for (Data* t : s->temps())
      if (!allocate(t, mode)) return {s, t};
  if (requirement != ShaveRequirement::NeedMax && !lock_shaves(*s, requirement, mode)) return {s, nullptr};
  release_inputs(*s, mode);
  if (mode == Mode::Full)
    for (Data* t : s->temps()) release(t);
  for (const Data* d : unread_) drop_use(d);
  // Nothing in a loop may reuse what its end writes.
  if (s->is(StageType::LoopStart))
    if (const Stage* end = program_.find_stage(s->get<LoopSpec>().end_stage))
      if (Data* d = allocate_outputs(*end, mode)) return {s, d};
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

// ---- questions about one buffer ----

namespace {

constexpr int kMarkEvery = 32;  // stage ids

bool is_marked(const Stage& s) { return s.id() % kMarkEvery == 0; }

/// Nothing of the tree is, or has, a shape known at run time only: its life is that of its own readers.
bool is_static_tree(const Data* d) {
  return !d->shape_parent() && d->shape_children().empty() && std::ranges::all_of(d->children(), is_static_tree);
}

}  // namespace

Allocator::Snapshot Allocator::snapshot() const {
  Snapshot s{cmx_, {}};
  for (int id : live_) {
    const Chunk& c = chunks_[static_cast<size_t>(id)];
    s.live.push_back({id, c.uses, c.offset, c.size});
  }
  std::ranges::sort(s.live, {}, &Snapshot::Live::data);
  return s;
}

void Allocator::restore(const Snapshot& state) {
  begin_run();
  cmx_ = state.cmx;
  for (const Snapshot::Live& l : state.live) {
    chunks_[static_cast<size_t>(l.data)] = {
        l.offset, l.size, run_, l.uses, next_sequence_++, MemoryType::CMX, static_cast<int>(live_.size())};
    live_.push_back(l.data);
  }
}

void Allocator::learn_stages() {
  if (knows_stages_) return;
  stages_ = program_.stages();
  places_.resize(program_.stage_id_end());
  for (size_t i = 0; i < stages_.size(); ++i) places_[static_cast<size_t>(stages_[i]->id())] = i;
  knows_stages_ = true;
  fitted_ = false;
  marks_.clear();
  walk_cmx({0, stages_.size()});
}

size_t Allocator::take_out(const Stage& s) {
  const size_t place = places_[static_cast<size_t>(s.id())];
  stages_[place] = nullptr;
  marks_.erase(s.id());
  return place;
}

void Allocator::put_back(Stage* s, size_t place) {
  stages_[place] = s;
  places_.resize(program_.stage_id_end());
  places_[static_cast<size_t>(s->id())] = place;
}

/// Stages that write or read the buffer; all of them where that does not tell.
Allocator::Range Allocator::concerned_by(const Data* buffer) const {
  Range r{stages_.size(), 0};
  const Range all{0, stages_.size()};
  if (!is_static_tree(buffer)) return all;
  bool in_order = true;
  const auto include = [&](const Stage* s) {
    in_order &= !s->is(StageType::LoopStart) && !s->is(StageType::LoopEnd);
    const Stage* runs = s->injected_into() ? s->injected_into() : s;
    const size_t place = places_[static_cast<size_t>(runs->id())];
    r.first = std::min(r.first, place);
    r.last = std::max(r.last, place);
  };
  const auto visit = [&](const auto& self, const Data* d) -> void {
    if (d->producer_stage()) include(d->producer_stage());
    for (const Use& u : d->consumers()) include(u.stage);
    for (const Data* c : d->children()) self(self, c);
  };
  visit(visit, buffer);
  return in_order && r.first <= r.last ? r : all;
}

bool Allocator::cmx_still_fits(const Data* buffer) {
  learn_stages();
  return walk_cmx(fitted_ ? concerned_by(buffer->top_parent()) : Range{0, stages_.size()});
}

bool Allocator::walk_cmx(Range concerned) {
  size_t begin = std::min(concerned.first, stages_.size());
  const auto has_mark = [&](size_t i) {
    return i < stages_.size() && stages_[i] && is_marked(*stages_[i]) && marks_.contains(stages_[i]->id());
  };
  while (begin > 0 && !has_mark(begin)) --begin;
  if (begin == 0)
    begin_run();
  else
    restore(marks_.at(stages_[begin]->id()));

  std::map<int, Snapshot> passed;
  for (size_t i = begin; i < stages_.size(); ++i) {
    Stage* s = stages_[i];
    if (!s) continue;
    if (i > begin && is_marked(*s)) {
      Snapshot state = snapshot();
      if (fitted_ && i > concerned.last)
        if (const auto mark = marks_.find(s->id()); mark != marks_.end() && mark->second == state) break;
      passed.insert_or_assign(s->id(), std::move(state));
    }
    if (run_stage(s, Mode::CmxOnly)) return false;
  }
  for (auto& [id, state] : passed) marks_.insert_or_assign(id, std::move(state));
  fitted_ = true;
  return true;
}

// ---- taking packed data out of CMX (memory spec §6.3) ----

/// Makes room for `failed`: it goes to DDR itself when it was packed, else the newest packed data in CMX does.
bool Allocator::unpack(Data* failed) {
  if (failed->marks.packing_candidate) {
    if (is_live(chunk_of(failed))) {
      const Use producer = failed->producer();
      if (producer.stage && producer.port == 0 && producer.stage->category() == StageCategory::HW) return true;
      move_to_ddr(failed);
    }
    failed->set_memory_type_of_tree(MemoryType::DDR);
    failed->marks.packing_candidate = false;
    return true;
  }
  for (Data* d : live_cmx_data()) {
    if (!d->marks.packing_candidate) continue;
    move_to_ddr(d);
    d->set_memory_type_of_tree(MemoryType::DDR);
    d->marks.packing_candidate = false;
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

// ---- one data object ----

bool Allocator::allocate(Data* d, Mode mode) {
  d = d->top_parent();
  if (d->usage == DataUsage::Fake) return true;
  if (!is_pooled(d)) return d->memory_type == MemoryType::DDR;  // it has its place
  Chunk& c = chunk_of(d);
  if (is_live(c)) return c.memory == d->memory_type;

  int uses = d->usage == DataUsage::Temp ? 1 : use_count(d);
  if (uses == 0) {  // the reference compiler gives up here
    if (reproduces(program_.options, Fault::UnreadData))
      throw Error(ErrorCode::AllocationFailed, "data \"" + d->name + "\" is written, but never read");
    uses = 1;
    unread_.push_back(d);
  }
  const int64_t size = chunk_size(d);
  const bool in_cmx = d->memory_type == MemoryType::CMX;
  const auto offset = pool(d->memory_type).allocate(size, in_cmx ? locked_shaves_ * kCmxSliceBytes : 0);
  if (!offset) return false;
  c = {*offset, size, run_, uses, next_sequence_++, d->memory_type, static_cast<int>(live_.size())};
  live_.push_back(d->id());
  if (mode == Mode::CmxOnly) return true;
  // CMX is filled from its end downwards.
  d->placement =
      in_cmx ? Placement{Location::CMX, cmx_.capacity() - *offset - size} : Placement{Location::BSS, *offset};
  place_children(d);
  return true;
}

void Allocator::drop_use(const Data* top) {
  Chunk& c = chunk_of(top);
  if (!is_live(c)) return;  // a shape in DDR in a run over CMX only
  if (--c.uses > 0) return;
  pool(c.memory).free(c.offset, c.size);
  const int last = live_.back();
  live_[static_cast<size_t>(c.live_at)] = last;
  chunks_[static_cast<size_t>(last)].live_at = c.live_at;
  live_.pop_back();
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

// ---- SHAVEs (memory spec §6.4) ----

// A SHAVE works in its own CMX slice, so the slices that hold data are not available.
bool Allocator::lock_shaves(Stage& s, ShaveRequirement requirement, Mode mode) {
  if (requirement == ShaveRequirement::NotNeeded) return true;
  const Resources& r = program_.resources;
  const int used_slices = static_cast<int>(ceil_div(cmx_.top(), kCmxSliceBytes));
  const int available = std::min(r.slices - used_slices, r.shaves);
  if (available <= 0 || (requirement == ShaveRequirement::NeedMax && available < r.shaves)) return false;
  locked_shaves_ = shave_count(s, requirement, available);
  if (mode == Mode::CmxOnly) return true;
  s.num_shaves = locked_shaves_;
  if (s.injected()) s.injected()->num_shaves = locked_shaves_;
  return true;
}

// ---- what does not change from run to run ----

int64_t Allocator::chunk_size(const Data* d) {
  int64_t& size = chunk_sizes_[static_cast<size_t>(d->id())];
  if (size < 0) size = align_up(checked_bytes(*d), kDataAlignment);
  return size;
}

ShaveRequirement Allocator::requirement_of(const Stage& s) {
  const auto own = [&](const Stage& x) {
    int8_t& requirement = shave_requirements_[static_cast<size_t>(x.id())];
    if (requirement < 0)
      requirement =
          static_cast<int8_t>(x.category() == StageCategory::HW ? ShaveRequirement::NotNeeded : shave_requirement(x));
    return static_cast<ShaveRequirement>(requirement);
  };
  return s.injected() ? std::max(own(s), own(*s.injected())) : own(s);
}

// ---- errors ----

void throw_allocation_failure(const Program& program, const AllocationFailure& failure) {
  const Resources& r = program.resources;
  const std::string stage = "stage " + failure.stage->name + " with type " + to_string(failure.stage->type);
  const std::string have = std::to_string(r.slices) + " CMX slices";
  std::string what = failure.data ? "no room for data \"" + failure.data->name + "\"" +
                                        (failure.data->memory_type == MemoryType::CMX ? " in " + have : "")
                                  : std::to_string(r.shaves) + " SHAVEs can't be freed in " + have;
  Error e(ErrorCode::AllocationFailed,
          "Memory allocation failed: unable to satisfy requirements for " + stage + ": " + what);
  if (failure.stage->layer)
    e.at_layer(failure.stage->layer->name, failure.stage->layer->type).from(failure.stage->layer->source);
  throw e.hint(failure.data ? "give the network more CMX slices, or smaller tensors"
                            : "give the network fewer SHAVEs or more CMX slices");
}

}  // namespace blobsmith::vpu
