// Numbers of the container that its reader and its writer share (blob-format spec §1).
#pragma once
#include <cstddef>
#include <cstdint>

namespace blobsmith::vpu {

inline constexpr uint32_t kBlobMagic = 9709, kStageBorder = 0x7F83FF19;
inline constexpr uint32_t kBlobVersionMajor = 6, kBlobVersionMinor = 0;
inline constexpr size_t kElfHeaderBytes = 52, kBlobHeaderBytes = 80;
/// The third and fourth word of the blob header.
inline constexpr size_t kVersionAt = kElfHeaderBytes + 8;
/// Of the sections, the constants and every allocated buffer.
inline constexpr size_t kBlobAlignment = 64;
/// Of the fast memory, which belongs to a SHAVE processor each.
inline constexpr int64_t kCmxSliceBytes = 131072;
/// Names of inputs and outputs are padded with zeros, at least one.
inline constexpr size_t kNameAlignment = 16;

}  // namespace blobsmith::vpu
