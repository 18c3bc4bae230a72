// The public class and the order in which stages run: batch items, loops, injected stages (execution spec §1, §10,
// §11).
#include "blobsmith/emulator.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>
#include <new>
#include <numeric>
#include <type_traits>

#include "core/control.hpp"
#include "core/file.hpp"
#include "emulator/access.hpp"
#include "emulator/kernels/hardware.hpp"
#include "emulator/kernels/shared.hpp"
#include "emulator/schedule.hpp"
#include "emulator/stage_run.hpp"
#include "vpu/format/reader.hpp"
#include "vpu/format/recurrent.hpp"

namespace blobsmith {

using emulator::Grid;
using emulator::Machine;
using emulator::Nest;
using emulator::StageGroup;
using emulator::StageRun;
using emulator::View;
using emulator::Workplace;
using vpu::BlobStage;
using vpu::StageType;

namespace {

constexpr const char* kShapeSuffix = "@shape";
constexpr int kMaxLoopDepth = 8;
constexpr int64_t kMaxIterations = 1 << 22;  // of all loops of a run, so that every run ends

std::vector<int64_t> shape_of(const Grid& g) { return {g.dims.begin(), g.dims.begin() + g.rank}; }

TensorInfo describe(const vpu::BlobIo& io, const View& item, int64_t items) {
  TensorInfo t{io.name, static_cast<TensorType>(io.desc.type), shape_of(framework_order(item))};
  t.shape[0] *= items;
  return t;
}

}  // namespace

std::string_view to_string(TensorType t) {
  constexpr std::string_view kNames[] = {"FP16", "U8", "I32", "FP32", "I8"};
  return kNames[static_cast<size_t>(t)];
}

std::string StageEvent::label() const {
  std::string s = std::to_string(index) + (injected ? "-injected-" : "-") + type;
  for (size_t k = 0; k < turn.size(); ++k) s += (k == 0 ? "@" : ".") + std::to_string(turn[k]);
  return s;
}

std::string MemoryReport::text() const {
  const std::string range =
      memory + " bytes " + std::to_string(first) + " to " + std::to_string(last) + " (" + std::to_string(bytes) + ")";
  if (kind == Kind::OutputUnwritten) return "output " + buffer + ": " + range + ": written by no stage";
  const std::string where = "stage " + std::to_string(stage) + " (" + (injected ? "injected " : "") + type + "), " +
                            buffer + ": " + range + ": ";
  switch (kind) {
    case Kind::Unwritten: return where + "read, but written by no stage" + (other.empty() ? "" : " (" + other + ")");
    case Kind::Outside: return where + "outside of its buffer";
    case Kind::Overlap: return where + "overlaps " + other;
    default: return where + "badly aligned";
  }
}

struct Emulator::Impl {
  Machine machine;
  std::vector<TensorInfo> inputs, outputs;
  std::function<void(const StageEvent&)> hook;
  std::vector<int> turn;
  std::map<size_t, StageGroup> groups;  ///< of several stages, by the first
  int64_t iterations_done = 0;
  const Control* control = nullptr;  ///< of the run going on
  double items_done = 0;

  Impl(vpu::Blob blob, const EmulatorOptions& options) : machine(std::move(blob), options) {
    const vpu::Blob& b = machine.blob;
    for (size_t i = 0; i < b.inputs.size(); ++i) {
      machine.memory.io_view(false, i, b.header.batch_size - 1);
      inputs.push_back(describe(b.inputs[i], machine.memory.io_view(false, i, 0), b.header.batch_size));
    }
    for (size_t i = 0; i < b.outputs.size(); ++i) {
      const int64_t items = machine.memory.output_items(i);
      machine.memory.io_view(true, i, items - 1);
      if (!b.outputs[i].name.ends_with(kShapeSuffix))
        outputs.push_back(describe(b.outputs[i], machine.memory.io_view(true, i, 0), items));
    }
    for (size_t k = 0; k < b.stages.size(); ++k) check_buffers(b.stages[k], k, false);
    for (const StageGroup& g : emulator::group_stages(b.stages))
      if (g.kind != StageGroup::Kind::Single) groups.emplace(g.first, g);
  }

  static std::string place_of(const BlobStage& s, size_t index, bool injected) {
    return "stage " + std::to_string(index) + (injected ? " (injected " : " (") + to_string(s.type) + ")";
  }

  void check_buffers(const BlobStage& s, size_t index, bool injected) {
    try {
      for (const vpu::BlobBuffer& r : s.buffers)
        if (!r.is_fake() && !r.desc.is_dynamic()) machine.memory.view(r);
    } catch (const Error& e) {
      throw Error(e.code(), place_of(s, index, injected) + ": " + e.what());
    }
    if (s.injected) check_buffers(*s.injected, index, true);
  }

  // ---- inputs and outputs -----------------------------------------------------------------------------------------
  using Next = std::function<void(std::span<float>)>;
  using Take = std::function<void(std::span<const float>)>;

  size_t input_index(std::string_view name) const {
    const auto it = std::find_if(inputs.begin(), inputs.end(), [&](const TensorInfo& t) { return t.name == name; });
    if (it == inputs.end())
      throw Error(ErrorCode::BadInputName, "the blob has no input \"" + std::string(name) + "\"")
          .hint("its inputs: " + names(inputs));
    return static_cast<size_t>(it - inputs.begin());
  }

  void set_input(size_t index, const Next& next) {
    std::vector<float> row;
    for (int64_t k = 0; k < machine.blob.header.batch_size; ++k) {
      const Grid to = framework_order(machine.memory.io_view(false, index, k));
      for_each_row(nest_of(to), [&](const auto& at, const auto& step, int64_t n) {
        row.resize(static_cast<size_t>(n));
        next(row);
        if (to.type == vpu::DataType::U8)
          for (float& v : row) v = v == v ? std::clamp(std::nearbyint(v), 0.0f, 255.0f) : 0.0f;
        emulator::store_row(row.data(), at[0], step[0], to.type, n);
      });
    }
  }

  template <class T>
  void set_input(std::string_view name, std::span<const T> values) {
    const size_t index = input_index(name);
    const TensorInfo& t = inputs[index];
    const int64_t count = std::accumulate(t.shape.begin(), t.shape.end(), int64_t{1}, std::multiplies<>());
    if (static_cast<int64_t>(values.size()) != count)
      throw Error(ErrorCode::ShapeMismatch, "input \"" + std::string(name) + "\" takes " + std::to_string(count) +
                                                " values, not " + std::to_string(values.size()));
    if (std::is_integral_v<T> && t.type == TensorType::S32)
      return set_integers(index, std::vector<int64_t>(values.begin(), values.end()));
    const T* at = values.data();
    set_input(index, [&](std::span<float> row) {
      std::transform(at, at + row.size(), row.begin(), [](T v) { return static_cast<float>(v); });
      at += row.size();
    });
  }

  /// Exactly, which floats would not do.
  void set_integers(size_t index, const std::vector<int64_t>& values) {
    const int64_t items = machine.blob.header.batch_size, each = static_cast<int64_t>(values.size()) / items;
    for (int64_t k = 0; k < items; ++k)
      write_integers(framework_order(machine.memory.io_view(false, index, k)), values.data() + k * each);
  }

  static std::string names(const std::vector<TensorInfo>& list) {
    std::string s;
    for (const TensorInfo& t : list) s += (s.empty() ? "" : ", ") + t.name;
    return s;
  }

  /// All batch items of a network input or output.
  std::vector<Grid> items(bool output, size_t index, int64_t count) const {
    std::vector<Grid> list;
    for (int64_t k = 0; k < count; ++k) list.push_back(framework_order(machine.memory.io_view(output, index, k)));
    return list;
  }

  static std::vector<int64_t> joint_shape(const std::vector<Grid>& items) {
    std::vector<int64_t> shape = shape_of(items[0]);
    shape[0] *= static_cast<int64_t>(items.size());
    return shape;
  }

  /// Rows are short often, so several make up a span.
  static void take_values(const std::vector<Grid>& items, const Take& take) {
    constexpr size_t kEnough = 1 << 12;
    std::vector<float> values;
    for (const Grid& g : items)
      for_each_row(nest_of(g), [&](const auto& at, const auto& step, int64_t n) {
        const size_t used = values.size();
        values.resize(used + static_cast<size_t>(n));
        emulator::load_row(at[0], step[0], g.type, n, values.data() + used);
        if (values.size() < kEnough) return;
        take(values);
        values.clear();
      });
    if (!values.empty()) take(values);
  }

  static FloatTensor joined(std::string name, const std::vector<Grid>& items) {
    FloatTensor t{std::move(name), joint_shape(items), {}};
    t.values.reserve(static_cast<size_t>(items[0].count()) * items.size());
    take_values(items, [&](std::span<const float> part) { t.values.insert(t.values.end(), part.begin(), part.end()); });
    return t;
  }

  FloatTensor input(std::string_view name) const {
    return joined(std::string(name), items(false, input_index(name), machine.blob.header.batch_size));
  }

  /// The batch items of an output, at their real size.
  std::vector<Grid> output_items(std::string_view name) const {
    const auto& records = machine.blob.outputs;
    const auto find = [&](const std::string& n) {
      return std::find_if(records.begin(), records.end(), [&](const vpu::BlobIo& io) { return io.name == n; });
    };
    const auto it = find(std::string(name));
    if (it == records.end())
      throw Error(ErrorCode::BadInputName, "the blob has no output \"" + std::string(name) + "\"")
          .hint("its outputs: " + names(outputs));
    const auto index = static_cast<size_t>(it - records.begin());
    std::vector<Grid> list = items(true, index, machine.memory.output_items(index));
    const auto shape = find(it->name + kShapeSuffix);
    if (shape == records.end() || list.size() > 1) return list;
    const std::vector<int64_t> sizes =
        read_integers(framework_order(machine.memory.io_view(true, static_cast<size_t>(shape - records.begin()), 0)));
    Grid& g = list[0];
    if (static_cast<int>(sizes.size()) == g.rank)
      for (size_t k = 0; k < sizes.size(); ++k) g.dims[k] = std::clamp<int64_t>(sizes[k], 0, g.dims[k]);
    return list;
  }

  // ---- execution --------------------------------------------------------------------------------------------------
  void run(const Control& c) {
    control = &c;
    machine.memory.clear(machine.options.fill_with_nan ? 0xFF : 0);
    machine.roi_align_source.reset();
    machine.workplace.planes.clear();
    iterations_done = 0;
    if (machine.shadow) machine.shadow->begin_run();
    const int64_t batch = machine.blob.header.batch_size;
    for (int64_t item = 0; item < batch; ++item) {
      machine.memory.set_item(item);
      if (machine.shadow) machine.shadow->begin_item();
      turn.clear();
      if (batch > 1) turn.push_back(static_cast<int>(item));
      items_done = static_cast<double>(item) / static_cast<double>(batch);
      run_range(0, machine.blob.stages.size(), 0);
    }
    if (machine.shadow) check_outputs();
  }

  void watch(size_t stage, int depth) const {
    if (depth > 0) return check_stop(*control);
    const double items = static_cast<double>(machine.blob.header.batch_size);
    blobsmith::report(
        *control, "running",
        items_done + static_cast<double>(stage) / static_cast<double>(machine.blob.stages.size()) / items);
  }

  void check_outputs() {
    for (size_t i = 0; i < machine.blob.outputs.size(); ++i) {
      const std::string& name = machine.blob.outputs[i].name;
      if (is_dynamic(name)) continue;  // filled in part
      for (int64_t k = 0; k < machine.memory.output_items(i); ++k)
        machine.shadow->output(static_cast<int>(i), name, memory_order(machine.memory.io_view(true, i, k)));
    }
  }

  bool is_dynamic(const std::string& output) const {
    return std::ranges::any_of(machine.blob.outputs,
                               [&](const vpu::BlobIo& io) { return io.name == output + kShapeSuffix; });
  }

  void run_range(size_t begin, size_t end, int depth) {
    for (size_t k = begin; k < end; ++k) {
      const BlobStage& s = machine.blob.stages[k];
      watch(k, depth);
      if (s.type == StageType::LoopStart) {
        k = run_loop(k, end, depth);
        continue;
      }
      if (const auto group = groups.find(k); group != groups.end() && !looks_at_stages()) {
        run_group(group->second);
        k += group->second.count - 1;
        continue;
      }
      if (s.injected) run_stage(*s.injected, k, true);
      run_stage(s, k, false);
    }
  }

  /// Whether something happens after each stage.
  bool looks_at_stages() const {
    return hook || machine.shadow || machine.options.arithmetic.saturate || machine.options.arithmetic.flush_denormals;
  }

  void run_group(const StageGroup& g) {
    const auto stages = std::span<const BlobStage>(machine.blob.stages).subspan(g.first, g.count);
    if (g.kind == StageGroup::Kind::Joined)
      return placed(stages[0], g.first, false, [&] { emulator::run_joined_stages(machine, stages); });
    machine.workplace.planes.clear();
    machine.pool.run(static_cast<int64_t>(g.count), [&](int64_t k) {
      const BlobStage& s = stages[static_cast<size_t>(k)];
      placed(s, g.first + static_cast<size_t>(k), false, [&] {
        Workplace alone{machine.no_helpers, {}};
        StageRun r(machine, s, alone);
        emulator::find_kernel(s.type)(r);
      });
    });
  }

  void run_stage(const BlobStage& s, size_t index, bool injected) {
    placed(s, index, injected, [&] {
      const emulator::Kernel kernel = emulator::find_kernel(s.type);
      if (!kernel) throw Error(ErrorCode::NotYetSupported, "stages of this type can't be emulated");
      const auto begin = std::chrono::steady_clock::now();
      StageRun r(machine, s);
      kernel(r);
      limit_results(r);
      if (machine.shadow) machine.shadow->stage(static_cast<int>(index), injected, r.accesses());
      if (hook)
        report(r, index, injected,
               std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    });
  }

  /// Calls f; its errors name the stage.
  template <class F>
  static void placed(const BlobStage& s, size_t index, bool injected, F f) {
    const auto place = [&] { return place_of(s, index, injected) + ": "; };
    try {
      f();
    } catch (const Error& e) {
      if (e.code() == ErrorCode::NotYetSupported)
        throw not_yet_supported(place_of(s, index, injected), to_string(s.type), e.what());
      const bool dynamic = std::ranges::any_of(s.buffers, [](const vpu::BlobBuffer& b) { return b.desc.is_dynamic(); });
      if (dynamic && e.code() == ErrorCode::BadBlob)
        throw not_yet_supported(place_of(s, index, injected), to_string(s.type),
                                std::string("sizes that are known at run time only don't fit (") + e.what() + ")");
      throw Error(e.code(), place() + e.what()).hint(e.hint());
    } catch (const std::bad_alloc&) {
      throw Error(ErrorCode::AllocationFailed, place() + "not enough memory");
    } catch (const std::length_error&) {
      throw Error(ErrorCode::AllocationFailed, place() + "not enough memory");
    }
  }

  /// What ArithmeticOptions says of FP16 results.
  void limit_results(const StageRun& r) {
    const ArithmeticOptions& a = machine.options.arithmetic;
    if (!a.saturate && !a.flush_denormals) return;
    constexpr uint16_t kInfinity = 0x7C00, kLargest = 0x7BFF, kSmallestNormal = 0x0400, kSign = 0x8000;
    for (const auto& w : r.written()) {
      const Grid g = memory_order(machine.memory.view(r.stage().buffers[static_cast<size_t>(w.buffer)]));
      if (g.type != vpu::DataType::FP16) continue;
      for_each_row(nest_of(g), [&](const auto& at, const auto& step, int64_t n) {
        for (int64_t i = 0; i < n; ++i) {
          uint16_t v;
          std::memcpy(&v, at[0] + i * step[0], sizeof v);
          const auto size = static_cast<uint16_t>(v & ~kSign), sign = static_cast<uint16_t>(v & kSign);
          if (a.saturate && size == kInfinity) v = static_cast<uint16_t>(sign | kLargest);
          if (a.flush_denormals && size < kSmallestNormal) v = sign;
          std::memcpy(at[0] + i * step[0], &v, sizeof v);
        }
      });
    }
  }

  void report(const StageRun& r, size_t index, bool injected, double ms) {
    StageEvent e{static_cast<int>(index), injected, turn, to_string(r.type()), {}, ms, {}, {}};
    for (const auto& w : r.written()) {
      const vpu::BlobBuffer& b = r.stage().buffers[static_cast<size_t>(w.buffer)];
      if (b.location == vpu::Location::Output) e.network_outputs.push_back(machine.blob.outputs.at(b.io.index).name);
    }
    e.inputs = [&] {
      std::vector<FloatTensor> list;
      for (int k : r.read())
        if (r.stage().buffers[static_cast<size_t>(k)].location != vpu::Location::Blob &&
            std::ranges::find(r.written(), k, &StageRun::Written::buffer) == r.written().end())
          list.push_back(tensor(r, k));
      return list;
    };
    e.outputs = [&] {
      std::vector<FloatTensor> list;
      for (const auto& w : r.written()) list.push_back(tensor(r, w.buffer));
      return list;
    };
    hook(e);
  }

  FloatTensor tensor(const StageRun& r, int k) const { return tensor(r.stage().buffers[static_cast<size_t>(k)]); }

  FloatTensor tensor(const vpu::BlobBuffer& record) const {
    const Grid g = framework_order(machine.memory.view(record));
    return {record.role, shape_of(g), read_floats(g)};
  }

  // ---- loops ------------------------------------------------------------------------------------------------------
  /// Returns the index of the LoopEnd.
  size_t run_loop(size_t begin, size_t limit, int depth) {
    const auto bad = [&](const char* what) {
      return Error(ErrorCode::BadBlob, "bad blob: stage " + std::to_string(begin) + " (LoopStart): " + what);
    };
    const BlobStage& start = machine.blob.stages[begin];
    const auto& p = dynamic_cast<const vpu::LoopStartParams&>(*start.params);
    if (p.stages_count < 2 || p.stages_count > limit - begin) throw bad("the loop's end is outside");
    if (depth >= kMaxLoopDepth) throw bad("loops are nested too deeply");
    const size_t end = begin + p.stages_count - 1;
    const BlobStage& stop = machine.blob.stages[end];
    if (stop.type != StageType::LoopEnd) throw bad("no LoopEnd where it should be");
    const auto& q = dynamic_cast<const vpu::LoopEndParams&>(*stop.params);
    const int64_t iterations = iteration_count(start, p);
    for (int64_t i = 0; i < iterations; ++i) {
      if (++iterations_done > kMaxIterations) throw bad("too many iterations");
      turn.push_back(static_cast<int>(i));
      copy_slices(begin, p, i, true);
      run_range(begin + 1, end, depth + 1);
      copy_slices(end, q, i, false);
      turn.pop_back();
    }
    return end;
  }

  int64_t iteration_count(const BlobStage& start, const vpu::LoopStartParams& p) {
    if (p.iterations >= 0) return p.iterations;
    if (!p.batch_dim_index) return 1;
    const View batch = StageRun(machine, start).in(0);
    if (*p.batch_dim_index >= static_cast<uint32_t>(batch.rank))
      throw Error(ErrorCode::BadBlob, "bad blob: a loop over a dimension that does not exist");
    return batch.dims[*p.batch_dim_index];
  }

  /// Outer tensor <-> the slice of this iteration (execution spec §11).
  void copy_slices(size_t stage, const vpu::LoopParams& p, int64_t iteration, bool into_body) {
    StageRun r(machine, machine.blob.stages[stage]);
    const int first = p.batch_dim_index ? 1 : 0;
    for (size_t c = 0; c < p.components.size(); ++c) {
      const vpu::LoopSlice& slice = p.components[c];
      const int outer_index = first + 2 * static_cast<int>(c), inner_index = outer_index + 1;
      View outer = into_body ? r.in_parts(outer_index) : r.out_parts(outer_index);
      const View inner = into_body ? r.out(inner_index) : r.in(inner_index);
      const auto axis = static_cast<size_t>(slice.axis);
      r.check(slice.axis >= 0 && slice.axis < outer.rank && outer.rank == inner.rank,
              "a loop over a dimension that does not exist");
      const int64_t size = outer.dims[axis], width = inner.dims[axis];
      int64_t at = slice.start + (slice.start < 0 ? size : 0) + iteration * slice.stride;
      if (slice.stride < 0 && width > 1) at += 1 - width;
      r.check(at >= 0 && width <= size && at <= size - width, "a loop leaves its tensor");
      outer.data += at * outer.strides[axis];
      outer.dims[axis] = width;
      r.touch({outer_index, !into_body, false, memory_order(outer)});
      if (into_body)
        copy_elements(machine.pool, memory_order(outer), memory_order(inner));
      else
        copy_elements(machine.pool, memory_order(inner), memory_order(outer));
    }
    if (machine.shadow) machine.shadow->stage(static_cast<int>(stage), false, r.accesses());
  }
};

Emulator::Emulator(std::span<const uint8_t> file, EmulatorOptions options)
    : impl_(std::make_unique<Impl>(vpu::read_blob(Bytes::copy_of(file)), options)) {}
Emulator Emulator::open(const std::string& path, EmulatorOptions options) {
  try {
    return EmulatorAccess::make(vpu::read_blob(read_file(path)), options);
  } catch (Error& e) {
    if (e.file().empty()) e.in_file(path);
    throw;
  }
}
Emulator EmulatorAccess::make(vpu::Blob blob, EmulatorOptions options) {
  Emulator e;
  e.impl_ = std::make_unique<Emulator::Impl>(std::move(blob), options);
  return e;
}
FloatTensor EmulatorAccess::tensor(const Emulator& emulator, const vpu::BlobBuffer& record) {
  return emulator.impl_->tensor(record);
}
Emulator::~Emulator() = default;
Emulator::Emulator(Emulator&&) noexcept = default;
Emulator& Emulator::operator=(Emulator&&) noexcept = default;

const std::vector<TensorInfo>& Emulator::inputs() const { return impl_->inputs; }
const std::vector<TensorInfo>& Emulator::outputs() const { return impl_->outputs; }
void Emulator::set_input(std::string_view name, std::span<const float> values) { impl_->set_input(name, values); }
void Emulator::set_input(std::string_view name, std::span<const uint8_t> values) { impl_->set_input(name, values); }
void Emulator::set_input(std::string_view name, std::span<const int32_t> values) { impl_->set_input(name, values); }
void Emulator::set_input(std::string_view name, const std::function<void(std::span<float>)>& next) {
  impl_->set_input(impl_->input_index(name), next);
}
void Emulator::run(const Control& control) { impl_->run(control); }
int Emulator::stage_count() const { return static_cast<int>(impl_->machine.blob.stages.size()); }
FloatTensor Emulator::output(std::string_view name) const {
  return Impl::joined(std::string(name), impl_->output_items(name));
}
void Emulator::output(std::string_view name, const std::function<void(std::span<const float>)>& take) const {
  Impl::take_values(impl_->output_items(name), take);
}
std::vector<int64_t> Emulator::output_shape(std::string_view name) const {
  return Impl::joint_shape(impl_->output_items(name));
}
std::vector<MemoryReport> Emulator::memory_reports() const {
  return impl_->machine.shadow ? impl_->machine.shadow->reports() : std::vector<MemoryReport>{};
}
FloatTensor Emulator::input(std::string_view name) const { return impl_->input(name); }
void Emulator::on_stage(std::function<void(const StageEvent&)> hook) { impl_->hook = std::move(hook); }

}  // namespace blobsmith
