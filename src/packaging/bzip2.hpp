// Streams of bzip2.
//
// Differences between two blobs are zeros for the most part, millions in a row, which libbz2 packs and unpacks one by
// one. A stream consists of blocks that know nothing of each other, one bit string behind the other. So the writer puts
// ready blocks for a long run of zeros (one for every power of two) between the blocks of what is between the runs, and
// the reader unpacks each of them once:
//
//   ... 17 0 3 | 0 0 0 ... (1.5 MiB) | 9 ...   ->   "BZh9" block(17 0 3) block(1 MiB) block(0.5 MiB) block(9 ...) end
#pragma once
#include <bzlib.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace blobsmith::packaging {

/// As libbz2 makes it.
std::vector<uint8_t> bzip2(std::span<const uint8_t> bytes);

/// A string of bits that grows at its end.
class BitString {
 public:
  explicit BitString(std::span<const uint8_t> bytes) : bytes_(bytes.begin(), bytes.end()), size_(8 * bytes.size()) {}
  /// Of `bits` the lowest `count`, at most 56.
  void put(uint64_t bits, size_t count);
  /// Those of `from` between two places.
  void put(std::span<const uint8_t> from, size_t begin, size_t end);
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::vector<uint8_t> bytes_;
  size_t size_;
};

/// Writes a stream.
class Bzip2Writer {
 public:
  /// Which hold no long runs of zeros.
  void bytes(std::span<const uint8_t> bytes);
  void zeros(uint64_t count) { zeros_ += count; }
  std::vector<uint8_t> finish();

 private:
  void put_zeros();
  void put_pending();
  void put_block(std::span<const uint8_t> stream, size_t end, uint32_t sum);

  BitString stream_{std::vector<uint8_t>{'B', 'Z', 'h', '9'}};
  uint32_t sum_ = 0;  ///< of the blocks' checksums
  bool has_block_ = false;
  std::vector<uint8_t> pending_;  ///< not yet in a block
  uint64_t zeros_ = 0;            ///< behind them
};

/// How many zeros blocks that are nothing else unpack to. Any number of threads may use it at once.
class ZeroBlocks {
 public:
  std::optional<uint64_t> find(const std::vector<uint8_t>& block) const;
  void add(const std::vector<uint8_t>& block, uint64_t zeros);

 private:
  mutable std::mutex guard_;
  std::vector<std::pair<std::vector<uint8_t>, uint64_t>> known_;
};

/// Reads a stream as it is asked for, so that no length in a file decides how much memory is taken.
class Bunzip2 {
 public:
  /// `known` gains what is found.
  Bunzip2(std::span<const uint8_t> bytes, ZeroBlocks& known);
  ~Bunzip2() { close(); }
  Bunzip2(const Bunzip2&) = delete;
  Bunzip2& operator=(const Bunzip2&) = delete;

  /// Fills it. False where the stream is damaged or at its end.
  bool read(std::span<uint8_t> to);
  /// Passes over zeros, `most` at most, that come next; 0 where they don't, or it isn't known that they do.
  uint64_t pass_zeros(uint64_t most);

 private:
  bool next_block();
  void close();

  std::span<const uint8_t> bytes_;
  ZeroBlocks& known_;
  size_t at_;           ///< bit where the next block begins
  uint32_t sum_ = 0;    ///< of the blocks' checksums
  uint64_t zeros_ = 0;  ///< left of a known block
  bool open_ = false;   ///< the library is at work on a block
  bz_stream s_{};
  std::vector<uint8_t> block_;  ///< that one as a stream of its own
  bool all_zero_ = false;       ///< so far; of long blocks nobody wants to know
  uint64_t unpacked_ = 0;
};

}  // namespace blobsmith::packaging
