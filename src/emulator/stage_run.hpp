// What a kernel sees of the machine: the parameters of its stage, its tensors, threads to work with.
#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blobsmith/emulator.hpp"
#include "compute/thread_pool.hpp"
#include "emulator/memory.hpp"
#include "emulator/planes_cache.hpp"
#include "emulator/shadow_memory.hpp"
#include "vpu/format/blob.hpp"

namespace blobsmith::emulator {

using vpu::StageType;

/// A function of one FP16 number.
struct HalfTable {
  static constexpr int64_t kNumbers = 1 << 16;
  std::vector<Half> results;  ///< for all of them; empty until it is worth it
  int64_t asked = 0;          ///< elements so far
};

/// What stages need that don't run at the same time.
struct Workplace {
  ThreadPool& pool;
  PlanesCache planes;  ///< of what a hardware stage read last
};

/// The state of an Emulator.
struct Machine {
  Machine(vpu::Blob b, const EmulatorOptions& o) : blob(std::move(b)), options(o), memory(blob), pool(o.threads) {
    workplace.planes.room = std::max(PlanesCache::kLeastRoom, part_of_memory() / static_cast<int64_t>(sizeof(float)));
    if (o.check_memory) shadow = std::make_unique<ShadowMemory>(blob, memory);
  }
  /// What one kind of temporary data may take beside the blob and its memories, in bytes.
  int64_t part_of_memory() const { return (memory.size() + static_cast<int64_t>(blob.constants.size())) / 16; }
  vpu::Blob blob;
  EmulatorOptions options;
  Memory memory;
  ThreadPool pool;
  ThreadPool no_helpers{1};                 ///< for stages that run side by side
  std::unique_ptr<ShadowMemory> shadow;     ///< when memory is checked
  std::map<std::string, HalfTable> tables;  ///< by the bytes of stage type and parameters
  Workplace workplace{pool, {}};            ///< of stages that run alone
  std::optional<View> roi_align_source;     ///< set by the repacking step, for the step behind it
};

class StageRun {
 public:
  StageRun(Machine& machine, const vpu::BlobStage& stage) : StageRun(machine, stage, machine.workplace) {}
  StageRun(Machine& machine, const vpu::BlobStage& stage, Workplace& workplace)
      : machine_(machine), stage_(stage), workplace_(workplace) {}
  ~StageRun() {
    for (const Written& w : written_) workplace_.planes.written(w.begin, w.end);
  }
  StageRun(const StageRun&) = delete;
  StageRun& operator=(const StageRun&) = delete;

  StageType type() const { return stage_.type; }
  const vpu::BlobStage& stage() const { return stage_; }
  template <class P>
  const P& params() const {
    const auto* p = dynamic_cast<const P*>(stage_.params.get());
    ensure(p != nullptr, "parameters of another stage type");
    return *p;
  }

  int buffer_count() const { return static_cast<int>(stage_.buffers.size()); }
  bool is_dynamic(int k) const { return has(k) && stage_.buffers[static_cast<size_t>(k)].desc.is_dynamic(); }
  bool has(int k) const { return k >= 0 && k < buffer_count() && !stage_.buffers[static_cast<size_t>(k)].is_fake(); }
  View in(int k) { return noted(k, false, in_parts(k)); }
  View out(int k) { return noted(k, true, out_parts(k)); }

  /// The same for kernels that access a part of the tensor only, and say which by `touch`, when memory is checked.
  View in_parts(int k) {
    if (std::ranges::find(read_, k) == read_.end()) read_.push_back(k);
    return machine_.memory.view(record(k));
  }
  View out_parts(int k) { return will_write(k, machine_.memory.view(writable(k))); }
  /// A dynamic output whose size this stage decides; as large as there may be room, which it must not fill.
  View out_at_capacity(int k) { return will_write(k, machine_.memory.view_at_capacity(writable(k))); }
  bool checks_memory() const { return machine_.shadow != nullptr; }
  void touch(Access access) {
    if (checks_memory()) accesses_.push_back(access);
  }
  const std::vector<Access>& accesses() const { return accesses_; }

  Machine& machine() { return machine_; }
  ThreadPool& pool() { return workplace_.pool; }
  PlanesCache& planes_cache() { return workplace_.planes; }
  const EmulatorOptions& options() const { return machine_.options; }
  /// Throws BadBlob unless `condition` holds.
  void check(bool condition, const char* what) const {
    if (!condition) throw Error(ErrorCode::BadBlob, std::string("bad blob: ") + what);
  }

  /// Throws what says that the stage can't be run (BS2004).
  [[noreturn]] void cannot_run(const std::string& why) const { throw Error(ErrorCode::NotYetSupported, why); }

  /// A buffer by number, and all bytes of it that may have been written.
  struct Written {
    int buffer;
    const uint8_t *begin, *end;
  };
  /// Buffers read and written so far, in the order of first use.
  const std::vector<int>& read() const { return read_; }
  const std::vector<Written>& written() const { return written_; }

 private:
  const vpu::BlobBuffer& record(int k) const {
    check(has(k), "a buffer is missing");
    return stage_.buffers[static_cast<size_t>(k)];
  }
  const vpu::BlobBuffer& writable(int k) const {
    const vpu::BlobBuffer& r = record(k);
    check(r.location != vpu::Location::Blob, "a stage writes to the constants");
    return r;
  }
  View will_write(int k, const View& v) {
    const uint8_t* end = memory_order(v).end();
    const auto known = std::ranges::find(written_, k, &Written::buffer);
    if (known == written_.end())
      written_.push_back({k, v.data, end});
    else
      known->end = std::max(known->end, end);
    return v;
  }
  View noted(int k, bool write, const View& v) {
    touch({k, write, false, memory_order(v)});
    return v;
  }

  Machine& machine_;
  const vpu::BlobStage& stage_;
  Workplace& workplace_;
  std::vector<int> read_;
  std::vector<Written> written_;
  std::vector<Access> accesses_;
};

using Kernel = void (*)(StageRun&);
/// Null for a stage type that can't be emulated.
Kernel find_kernel(StageType type);

}  // namespace blobsmith::emulator
