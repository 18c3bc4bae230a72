// The allocator: walks the stages in execution order and gives every buffer a chunk of DDR or CMX from its first writer to
// its last reader, and every stage its SHAVE processors (memory spec §6).
//
// The passes that move data into CMX ask "does it still fit?" hundreds of times, so a run keeps its state in arrays indexed
// by the ids of data and stages, which an Allocator reuses from run to run.
#pragma once
#include <vector>

#include "vpu/memory/pool.hpp"
#include "vpu/program/program.hpp"

namespace blobsmith::vpu {

/// Why a run stopped. A stage without data: not enough SHAVEs (their CMX slices hold live data).
struct AllocationFailure {
  Stage* stage = nullptr;
  Data* data = nullptr;
  explicit operator bool() const { return stage != nullptr; }
};

/// Attribute of the data that adjustDataLocation tried to pack into CMX: run() may take them out again.
inline constexpr const char* kPackingCandidate = "packing-candidate";

/// An Allocator serves one pass: it remembers sizes and SHAVE demands, which must not change while it lives.
class Allocator {
 public:
  explicit Allocator(Program& program);

  /// Places everything: I/O and constants, then chunks, temporaries and SHAVE counts. Writes Data::placement and
  /// Stage::num_shaves.
  AllocationFailure run();
  /// Only the data that ask for CMX, with the same verdict on them as run(); writes nothing into the program.
  bool cmx_fits() { return !walk(Mode::CmxOnly); }

  /// Data whose chunk in CMX is alive after the last run (when it failed), newest first.
  std::vector<Data*> live_cmx_data();
  /// The sizes after a successful run(); `blob` is the constants' end.
  Program::MemorySizes sizes() const;

 private:
  enum class Mode { Full, CmxOnly };
  struct Chunk {
    int64_t offset = 0, size = 0;
    int run = 0;       ///< the run in which it was made
    int uses = 0;      ///< readers still to come; 0: free
    int sequence = 0;  ///< in order of allocation
    MemoryType memory = MemoryType::DDR;
  };

  AllocationFailure walk(Mode mode);
  bool unpack(Data* failed);
  void move_to_ddr(Data* d);
  void begin_run();
  Data* allocate_outputs(const Stage& s, Mode mode);  ///< the first data that does not fit
  bool allocate(Data* d, Mode mode);
  void release(Data* d);
  void release_inputs(const Stage& s, Mode mode);
  void drop_use(const Data* top);
  bool lock_shaves(Stage& s, ShaveDemand demand, Mode mode);

  Chunk& chunk_of(const Data* d) { return chunks_[static_cast<size_t>(d->id())]; }
  bool is_live(const Chunk& c) const { return c.run == run_ && c.uses > 0; }
  Pool& pool(MemoryType m) { return m == MemoryType::CMX ? cmx_ : ddr_; }
  int64_t chunk_size(const Data* d);
  ShaveDemand demand_of(const Stage& s);

  Program& program_;
  Pool ddr_, cmx_;
  int run_ = 0, next_sequence_ = 0, locked_shaves_ = 0;
  std::vector<Data*> io_shapes_;      // shapes of dynamic network inputs and outputs: alive until the end
  Program::MemorySizes fixed_;        // inputs, outputs and constants
  std::vector<Chunk> chunks_;         // by data id
  std::vector<int64_t> chunk_sizes_;  // by data id; -1: not yet known
  std::vector<int8_t> demands_;       // by stage id, of the stage itself; -1: not yet known
};

/// Throws AllocationFailed: which stage, what did not fit, and what to try.
[[noreturn]] void throw_allocation_failure(const Program& program, const AllocationFailure& failure);

}  // namespace blobsmith::vpu
