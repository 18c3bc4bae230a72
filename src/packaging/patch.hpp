// Patches from one blob to another in the format BSDIFF40: three bzip2 streams (control, differences, insertions).
//
// Blobs of one network differ in the header and in the stages, while constants are the same bytes further along, so two
// steps do without any search for equal parts: what comes before the constants, then the constants.
//
//   old  | head (300 bytes) | constants |       control: (300, 20, 0) (constants, 0, 0)
//   new  | head (320 bytes) | constants |       differences: of 300 bytes, of the constants (zeros); extra: 20 bytes
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace blobsmith::packaging {

/// `old_head`, `new_head`: where the parts that are alike begin.
std::vector<uint8_t> make_patch(std::span<const uint8_t> old_bytes, size_t old_head, std::span<const uint8_t> new_bytes,
                                size_t new_head);
/// Throws BadBlob for what is no patch, and where the result would have more than `most` bytes.
std::vector<uint8_t> apply_patch(std::span<const uint8_t> old_bytes, std::span<const uint8_t> patch, uint64_t most);

}  // namespace blobsmith::packaging
