// Patches from one blob to another in the format BSDIFF40: three bzip2 streams (control, differences, insertions).
//
// Blobs of one network for other numbers of SHAVEs have the same weights, cut into other tiles: long pieces that lie at
// other places, or differ in a few bytes. Pieces that both have are found by hashing: a table has the places of runs of
// bytes in the old blob, and the new one is looked up in it. The piece found is followed as far as it is the same, then
// as far as most of it is. What lies between two pieces is inserted.
//
//   old  | header | A A A A | B B B B |             control: (header, 0, to B) (B, 2, to A) (A, 0, -)
//   new  | header | B B b B | x x | A A A A |       differences: zeros, but for b - B; insertions: x x
//
// A suffix sort, as bsdiff has it, finds shorter pieces too, which saves 0.02 % of a blob and takes seconds.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "packaging/bzip2.hpp"
#include "packaging/parts.hpp"

namespace blobsmith::packaging {

/// Makes patches from one file, which outlives it.
class PatchMaker {
 public:
  explicit PatchMaker(std::span<const uint8_t> old_bytes);
  /// Any number of threads may ask at once.
  std::vector<uint8_t> patch_to(const Parts& file) const;
  std::vector<uint8_t> patch_to(std::span<const uint8_t> file) const { return patch_to(Parts(file)); }

 private:
  size_t slot_of(const uint8_t* bytes) const;

  std::span<const uint8_t> old_;
  int bits_;
  std::vector<uint32_t> places_;  ///< of a run's hash, plus one; 0: none
};

/// Throws BadBlob for what is no patch, and where the result would have more than `most` bytes.
std::vector<uint8_t> apply_patch(std::span<const uint8_t> old_bytes, std::span<const uint8_t> patch, uint64_t most);
/// The same, one piece after the other: of the old bytes, or of at most 64 KiB.
void apply_patch(std::span<const uint8_t> old_bytes, std::span<const uint8_t> patch, uint64_t most,
                 const std::function<void(std::span<const uint8_t>)>& take, ZeroBlocks& known);
/// Reads a patch back: true if it makes this file.
bool patch_gives(std::span<const uint8_t> old_bytes, std::span<const uint8_t> patch, const Parts& file,
                 ZeroBlocks& known);

}  // namespace blobsmith::packaging
