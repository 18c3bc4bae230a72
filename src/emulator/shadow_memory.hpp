// A second memory that knows of every byte which stage wrote it, and with it the mistakes that a device would not
// report (docs/emulator.md, "Checking memory").
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "blobsmith/emulator.hpp"
#include "emulator/memory.hpp"

namespace blobsmith::emulator {

/// Elements of one tensor that a stage has read or written. One buffer may be accessed in several parts.
struct Access {
  int buffer = 0;
  bool write = false;
  bool by_engine = false;  ///< the convolution engine moves whole units of 16 bytes
  Grid elements;
};

class ShadowMemory {
 public:
  ShadowMemory(const vpu::Blob& blob, const Memory& memory);

  /// Nothing but the inputs is written any more; reports stay.
  void begin_run();
  /// What the batch item before left in the device's own memories does not count.
  void begin_item();
  /// Stage `index` has run, or the one injected into it, which comes first.
  void stage(int index, bool injected, const std::vector<Access>& accesses);
  /// An output of the network at the end of a run.
  void output(int number, const std::string& name, const Grid& elements);

  std::vector<MemoryReport> reports() const;

 private:
  /// The tensor whose value a byte has (a number in tensors_; 0: none), and the last turn that read it.
  struct Byte {
    uint32_t tensor = 0, read_in = 0;
  };
  struct Arena {
    vpu::Location location;
    const uint8_t* begin = nullptr;
    std::vector<Byte> bytes;
  };
  /// A buffer that a stage writes, or (padding) the bytes behind its rows.
  struct Tensor {
    std::string name;             ///< "12-Copy.out0"
    uint32_t owner = 0;           ///< itself, or whose padding it is
    uint32_t written_in = 0;      ///< turn of the last write
    uint32_t partly_lost_to = 0;  ///< the tensor that last went over some of it
    bool padding = false;
  };
  struct Range {
    Arena* arena = nullptr;  ///< null: constants
    int64_t first = 0, size = 0;
  };
  struct Found;

  uint32_t tensor_number(int buffer, bool padding);
  template <class F>
  void for_each_range(const Grid& g, F f);
  Range range_at(const uint8_t* p, int64_t size);
  void check_place(const Access& a);
  void check_read(const Access& a, bool used);
  void copy(const Access& from, const Access& to);
  void mark_write(const Access& a);
  void write_bytes(const Access& a, const Range& r, uint32_t tensor);
  void report(MemoryReport::Kind kind, int buffer, const Arena& arena, int64_t first, int64_t size,
              const std::string& other = {});

  const vpu::Blob& blob_;
  std::vector<Arena> arenas_;
  std::vector<Tensor> tensors_;
  std::map<std::tuple<int, bool, int, bool>, uint32_t> numbers_;  ///< stage, injected, buffer, padding -> in tensors_
  std::map<std::tuple<int, bool, int, int>, MemoryReport> reports_;  ///< by stage, not injected, buffer, kind
  const vpu::BlobStage* stage_ = nullptr;                            ///< running
  int index_ = 0;
  bool injected_ = false;
  uint32_t turn_ = 0;  ///< of a stage and the one injected into it, which run at the same time
};

}  // namespace blobsmith::emulator
