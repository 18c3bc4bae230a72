// A superblob, blob by blob, so that no more of them are in memory than are worked on.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "blobsmith/superblob.hpp"
#include "packaging/patch.hpp"

namespace blobsmith::packaging {

inline constexpr int kBaseShaves = 8;

class SuperblobMaker {
 public:
  /// The blob for kBaseShaves, which outlives it. Throws BadBlob.
  explicit SuperblobMaker(std::span<const uint8_t> base);
  /// Of another number; its patch is read back and compared. Threads may add different numbers at once.
  void add(int shaves, std::span<const uint8_t> blob);
  Superblob finish() const;

 private:
  std::span<const uint8_t> base_;
  PatchMaker maker_;
  ZeroBlocks known_;  ///< of the patches that were read back
  std::array<std::vector<uint8_t>, kMostShaves> patches_;
};

}  // namespace blobsmith::packaging
