// Any bytes as a superblob; and as two files, a patch between which gives back the second.
#include <algorithm>

#include "blobsmith/superblob.hpp"
#include "fuzz/survive.hpp"
#include "packaging/patch.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blobsmith;
  const std::span<const uint8_t> all(data, size);
  fuzz::survive([&] {
    const Superblob s = Superblob::read({all.begin(), all.end()});
    for (int shaves = 1; shaves <= kMostShaves; ++shaves) s.blob(shaves);
  });
  const std::span<const uint8_t> old_bytes = all.first(size / 2), new_bytes = all.subspan(size / 2);
  const std::vector<uint8_t> patch = packaging::PatchMaker(old_bytes).patch_to(new_bytes);
  if (!std::ranges::equal(packaging::apply_patch(old_bytes, patch, size), new_bytes)) __builtin_trap();
  return 0;
}
