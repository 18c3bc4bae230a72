#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "api/convert.hpp"
#include "packaging/superblob_maker.hpp"

namespace blobsmith {

SuperblobResult convert_superblob(const ModelFile& model, const ConvertOptions& o) {
  ConvertOptions one = o;
  one.camera.slices = 0;                                        // as many as SHAVEs
  std::array<int, kMostShaves> shaves{packaging::kBaseShaves};  // the others need it
  for (int n = 1, i = 1; n <= kMostShaves; ++n)
    if (n != packaging::kBaseShaves) shaves[static_cast<size_t>(i++)] = n;
  std::optional<CompileResult> base;
  std::vector<uint8_t> base_bytes;
  std::unique_ptr<packaging::SuperblobMaker> maker;
  std::mutex guard;
  std::vector<std::vector<uint8_t>> rooms;  // of blobs that were added
  const auto add = [&](int n, const BlobBytes& blob) {
    std::vector<uint8_t> bytes;
    {
      const std::lock_guard lock(guard);
      if (!rooms.empty()) bytes = std::move(rooms.back()), rooms.pop_back();
    }
    bytes = blob.bytes(std::move(bytes));
    maker->add(n, bytes);
    const std::lock_guard lock(guard);
    rooms.push_back(std::move(bytes));
  };
  api::convert_each(model, shaves, one, [&](size_t i, CompileResult r) {
    if (i > 0) return add(shaves[i], r.blob);
    base = std::move(r);
    base_bytes = base->blob.bytes();
    maker = std::make_unique<packaging::SuperblobMaker>(base_bytes);
  });
  return {maker->finish(), *std::move(base)};
}

}  // namespace blobsmith
