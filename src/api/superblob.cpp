#include <array>
#include <memory>
#include <optional>

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
  api::convert_each(model, shaves, one, [&](size_t i, CompileResult r) {
    if (i > 0) return maker->add(shaves[i], r.blob.bytes());
    base = std::move(r);
    base_bytes = base->blob.bytes();
    maker = std::make_unique<packaging::SuperblobMaker>(base_bytes);
  });
  return {maker->finish(), *std::move(base)};
}

}  // namespace blobsmith
