// Where a buffer lies, with the codes of the blob.
#pragma once
#include <cstdint>

namespace blobsmith::vpu {

enum class Location : uint32_t { None = 0, Input = 1, Output = 2, Blob = 3, BSS = 4, CMX = 5 };

inline const char* to_string(Location l) {
  constexpr const char* kNames[] = {"None", "Input", "Output", "Blob", "BSS", "CMX"};
  return kNames[static_cast<uint32_t>(l)];
}

}  // namespace blobsmith::vpu
