// The OpenVINO releases whose version a blob may state (blob-format spec §8, §9). The container and the records are
// the same in all of them; only the two version words differ.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/chunked_bytes.hpp"
#include "core/release.hpp"

namespace blobsmith::vpu {

struct Target {
  std::string_view name;  ///< "2021.4"
  uint32_t major, minor;
  const Release* release;  ///< whose rules decide the bytes
};

/// Oldest first.
std::span<const Target> targets();
/// "2020.4, 2021.1, ...": for messages.
std::string target_names();
/// Throws BadOptionValue naming the ones there are.
const Target& find_target(std::string_view name);
/// True for what the compiler writes itself (6, 0) and for every target.
bool is_known_version(uint32_t major, uint32_t minor);
/// Puts the target's version into the header, as conversion services do.
void stamp(ChunkedBytes& blob, const Target& target);

}  // namespace blobsmith::vpu
