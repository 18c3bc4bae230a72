// A memory pool with the reference's best-fit rule (memory spec §6.1): its addresses are those of the blob.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace blobsmith::vpu {

/// Buffers, constants and I/O tensors begin at multiples of this many bytes.
inline constexpr int64_t kDataAlignment = 64;

class Pool {
 public:
  static constexpr int64_t kUnlimited = std::numeric_limits<int64_t>::max();
  explicit Pool(int64_t capacity = kUnlimited) : capacity_(capacity) {}

  /// Offset of a chunk of `size` bytes: the end of the smallest free block that holds it (the oldest among equals),
  /// else the top of the pool. The uppermost `reserved` bytes of the capacity are out of bounds for a chunk at the top,
  /// but (as in the reference) not for one in a free block. Nothing when it does not fit or `size` is 0.
  std::optional<int64_t> allocate(int64_t size, int64_t reserved = 0);
  /// Gives a chunk back; it merges with the free blocks beside it and lowers the top when it reaches it.
  void free(int64_t offset, int64_t size);
  void reset();
  /// Both will give the same addresses from here on.
  bool operator==(const Pool& other) const { return free_ == other.free_ && top_ == other.top_; }

  int64_t top() const { return top_; }
  int64_t high_water() const { return high_water_; }
  int64_t capacity() const { return capacity_; }

 private:
  struct Block {
    int64_t offset, size;
    bool operator==(const Block&) const = default;
  };
  std::vector<Block> free_;  // in the order in which they became free; the order decides between equal blocks
  int64_t capacity_;
  int64_t top_ = 0, high_water_ = 0;
};

}  // namespace blobsmith::vpu
