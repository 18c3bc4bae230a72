#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "api/convert.hpp"
#include "api/model.hpp"
#include "packaging/superblob_maker.hpp"

namespace blobsmith {

SuperblobResult convert_superblob(const ModelFile& model, const ConvertOptions& o) {
  ConvertOptions one = o;
  one.camera.slices = 0;                                        // as many as SHAVEs
  std::array<int, kMostShaves> shaves{packaging::kBaseShaves};  // the others need it
  for (int n = 1, i = 1; n <= kMostShaves; ++n)
    if (n != packaging::kBaseShaves) shaves[static_cast<size_t>(i++)] = n;
  std::optional<CompileResult> base;
  std::unique_ptr<packaging::SuperblobMaker> maker;
  api::convert_blobs(
      model, shaves, one,
      [&](CompileResult r) {
        maker = std::make_unique<packaging::SuperblobMaker>(r.blob.impl().bytes);
        base = std::move(r);
      },
      [&](size_t i, const ChunkedBytes& blob) { maker->add(shaves[i], blob); });
  return {maker->finish(), *std::move(base)};
}

}  // namespace blobsmith
