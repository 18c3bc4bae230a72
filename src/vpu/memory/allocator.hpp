// The allocator: walks the stages in execution order and gives every buffer a chunk of DDR or CMX from its first writer
// to its last reader, and every stage its SHAVE processors (memory spec §6).
//
// The passes that move data into CMX ask "does it still fit?" thousands of times. So a run keeps its state in arrays
// indexed by the ids of data and stages, which an Allocator reuses; and a question about one buffer walks from the
// marked stage before its first writer to the first marked stage behind its last reader where all is as it was when
// everything fitted.
#pragma once
#include <map>
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

/// An Allocator serves one pass: it remembers sizes and SHAVE requirements, which must not change while it lives.
class Allocator {
 public:
  explicit Allocator(Program& program);

  /// Places everything: I/O and constants, then chunks, temporaries and SHAVE counts. Writes Data::placement and
  /// Stage::num_shaves.
  AllocationFailure run();
  /// Only the data that ask for CMX, with the same verdict on them as run(); writes nothing into the program.
  bool cmx_fits();

  // The same verdict for a program that, since this Allocator last learnt its stages, has changed in the memory of one
  // buffer and in stages that were taken out and put back, with the stages before and behind them the same.
  void learn_stages();                             ///< unless it knows them
  void forget_stages() { knows_stages_ = false; }  ///< after other changes
  size_t take_out(const Stage& s);                 ///< before it is removed from the program; its place
  void put_back(Stage* s, size_t place);           ///< another one, there
  bool cmx_still_fits(const Data* buffer);

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
    int live_at = 0;  ///< in live_
  };
  /// What decides on the rest of a walk over the data in CMX.
  struct Snapshot {
    struct Live {
      int data, uses;
      int64_t offset, size;
      bool operator==(const Live&) const = default;
    };
    Pool cmx;
    std::vector<Live> live;  ///< by id
    bool operator==(const Snapshot&) const = default;
  };
  struct Range {
    size_t first, last;  ///< of stages that are concerned
  };

  AllocationFailure walk(Mode mode, const std::vector<Stage*>& stages);
  AllocationFailure run_stage(Stage* s, Mode mode);
  bool walk_cmx(Range concerned);
  Range concerned_by(const Data* buffer) const;
  Snapshot snapshot() const;
  void restore(const Snapshot& state);
  bool unpack(Data* failed);
  void move_to_ddr(Data* d);
  void begin_run();
  Data* allocate_outputs(const Stage& s, Mode mode);  ///< the first data that does not fit
  bool allocate(Data* d, Mode mode);
  void release(Data* d);
  void release_inputs(const Stage& s, Mode mode);
  void drop_use(const Data* top);
  bool lock_shaves(Stage& s, ShaveRequirement requirement, Mode mode);

  Chunk& chunk_of(const Data* d) { return chunks_[static_cast<size_t>(d->id())]; }
  bool is_live(const Chunk& c) const { return c.run == run_ && c.uses > 0; }
  Pool& pool(MemoryType m) { return m == MemoryType::CMX ? cmx_ : ddr_; }
  int64_t chunk_size(const Data* d);
  ShaveRequirement requirement_of(const Stage& s);

  Program& program_;
  Pool ddr_, cmx_;
  int run_ = 0, next_sequence_ = 0, locked_shaves_ = 0;
  std::vector<Data*> io_shapes_;            // shapes of dynamic network inputs and outputs: alive until the end
  Program::MemorySizes fixed_;              // inputs, outputs and constants
  std::vector<Chunk> chunks_;               // by data id
  std::vector<int64_t> chunk_sizes_;        // by data id; -1: not yet known
  std::vector<int8_t> shave_requirements_;  // by stage id, of the stage itself; -1: not yet known
  std::vector<int> live_;                   // ids of data with a live chunk
  std::vector<const Data*> unread_;  // outputs of the current stage that nothing reads: they live as long as it runs

  bool knows_stages_ = false, fitted_ = false;  // fitted_: marks_ are of a walk to the end
  std::vector<Stage*> stages_;                  // in order; null where one was taken out
  std::vector<size_t> places_;                  // by stage id, in stages_
  std::map<int, Snapshot> marks_;               // by the id of the stage before which it was taken
};

/// Throws AllocationFailed: which stage, what did not fit, and what to try.
[[noreturn]] void throw_allocation_failure(const Program& program, const AllocationFailure& failure);

}  // namespace blobsmith::vpu
