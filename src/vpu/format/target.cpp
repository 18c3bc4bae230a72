#include "vpu/format/target.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "vpu/format/container.hpp"

namespace blobsmith::vpu {
namespace {

constexpr std::array kTargets{Target{"2020.4", 2020, 4, &kRelease2021}, Target{"2021.1", 2021, 1, &kRelease2021},
                              Target{"2021.2", 2021, 2, &kRelease2021}, Target{"2021.3", 2021, 3, &kRelease2021},
                              Target{"2021.4", 2021, 4, &kRelease2021}, Target{"2022.1", 2022, 1, &kRelease2022}};

}  // namespace

std::span<const Target> targets() { return kTargets; }

std::string target_names() {
  std::string s;
  for (const Target& t : kTargets) s += (s.empty() ? "" : ", ") + std::string(t.name);
  return s;
}

const Target& find_target(std::string_view name) {
  const auto it = std::ranges::find(kTargets, name, &Target::name);
  if (it != kTargets.end()) return *it;
  Error e(ErrorCode::BadOptionValue,
          "\"" + std::string(name) + "\" is not an OpenVINO version that blobs can be made for");
  throw e.hint("one of " + target_names());
}

bool is_known_version(uint32_t major, uint32_t minor) {
  if (major == kBlobVersionMajor && minor == kBlobVersionMinor) return true;
  return std::ranges::any_of(kTargets, [&](const Target& t) { return t.major == major && t.minor == minor; });
}

void stamp(ChunkedBytes& blob, const Target& target) {
  ensure(!blob.parts().empty() && blob.parts()[0].size() >= kElfHeaderBytes + kBlobHeaderBytes,
         "a blob without headers");
  std::array<uint8_t, 8> version;
  for (size_t i = 0; i < 4; ++i) {
    version[i] = static_cast<uint8_t>(target.major >> (8 * i));
    version[4 + i] = static_cast<uint8_t>(target.minor >> (8 * i));
  }
  blob.overwrite(kVersionAt, version);
}

}  // namespace blobsmith::vpu
