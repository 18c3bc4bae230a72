// Streams of bzip2.
//
// Differences between two blobs are zeros for the most part, millions in a row, which libbz2 reads one by one. A stream
// consists of blocks that know nothing of each other, one bit string behind the other, so what a long run of zeros
// becomes is computed once for every power of two, and put between the blocks of what is between the runs:
//
//   ... 17 0 3 | 0 0 0 ... (5 MiB) | 9 ...   ->   "BZh9" block(17 0 3) block(4 MiB) block(1 MiB) block(9 ...) end
#pragma once
#include <bzlib.h>

#include <cstdint>
#include <span>
#include <vector>

namespace blobsmith::packaging {

std::vector<uint8_t> bzip2(std::span<const uint8_t> bytes);

/// A stream that is unpacked as it is asked for, so that no length in a file decides how much memory is taken.
class Bunzip2 {
 public:
  explicit Bunzip2(std::span<const uint8_t> bytes);
  ~Bunzip2() { BZ2_bzDecompressEnd(&s_); }
  Bunzip2(const Bunzip2&) = delete;
  Bunzip2& operator=(const Bunzip2&) = delete;

  /// Fills it. False where the stream is damaged or at its end.
  bool read(std::span<uint8_t> to);

 private:
  bz_stream s_{};
};

}  // namespace blobsmith::packaging
