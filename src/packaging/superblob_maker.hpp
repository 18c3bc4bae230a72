// A superblob, blob by blob, so that no more of them are in memory than are worked on.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "blobsmith/superblob.hpp"
#include "core/chunked_bytes.hpp"
#include "packaging/patch.hpp"

namespace blobsmith::packaging {

inline constexpr int kBaseShaves = 8;

class SuperblobMaker {
 public:
  /// The blob for kBaseShaves. What blobs share with it is found without being read: parts that lie in one place of
  /// memory. Throws BadBlob.
  explicit SuperblobMaker(ChunkedBytes base);
  /// Of another number; its patch is read back and compared. Threads may add different numbers at once.
  void add(int shaves, const ChunkedBytes& blob);
  Superblob finish() const;

 private:
  ChunkedBytes base_parts_;  ///< keeps what places_ names
  Places places_;
  std::vector<uint8_t> base_;
  PatchMaker maker_;
  ZeroBlocks known_;  ///< of the patches that were read back
  std::array<std::vector<uint8_t>, kMostShaves> patches_;
};

}  // namespace blobsmith::packaging
