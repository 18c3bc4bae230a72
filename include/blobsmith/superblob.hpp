// Superblobs: one file with a network compiled for every number of SHAVEs, as depthai 3 reads them: a blob for 8 SHAVEs
// and a patch (BSDIFF40) from it to each of the other 15.
//
// Threads: calls are independent of each other; convert_superblob() compiles in as many threads as there are
// processors.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "blobsmith/convert.hpp"

namespace blobsmith {

inline constexpr int kMostShaves = 16;

class Superblob {
 public:
  /// Of blobs of one network for 1, 2 ... 16 SHAVEs, in this order. Throws BadBlob where one is none.
  static Superblob make(std::span<const std::vector<uint8_t>> blobs);
  /// Of a file's bytes. Throws BadBlob for what depthai would refuse, and for patches that unpack to more than the
  /// limits below.
  static Superblob read(std::vector<uint8_t> file);

  const std::vector<uint8_t>& bytes() const { return file_; }
  /// The blob for 1 to 16 SHAVEs. Throws BadOptionValue for other numbers, BadBlob for a patch that can't be applied.
  std::vector<uint8_t> blob(int shaves) const;
  std::span<const uint8_t> base() const;
  /// Bytes of the patch; 0: the base is the blob for this number.
  uint64_t patch_size(int shaves) const { return patch_sizes_.at(static_cast<size_t>(shaves - 1)); }

  /// Largest file, and largest blob in it: what depthai's reader can hold.
  static constexpr uint64_t kMostBytes = uint64_t{1} << 31, kMostBlobBytes = uint64_t{1} << 30;

 private:
  std::vector<uint8_t> file_;
  uint64_t base_size_ = 0;
  std::array<uint64_t, kMostShaves> patch_sizes_{};
};

/// True for files that begin like a superblob: sizes that add up to the file's, a blob behind them.
bool is_superblob(std::span<const uint8_t> file);

struct SuperblobResult {
  Superblob superblob;
  CompileResult base;  ///< that of 8 SHAVEs
};

/// A model for every number of SHAVEs (CameraOptions::shaves and slices play no part); read back and compared before it
/// is returned. Throws as convert() does.
SuperblobResult convert_superblob(const ModelFile& model, const ConvertOptions& options = {});

}  // namespace blobsmith
