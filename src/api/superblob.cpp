#include "blobsmith/superblob.hpp"

#include <numeric>

namespace blobsmith {

SuperblobResult convert_superblob(const ModelFile& model, const ConvertOptions& o) {
  ConvertOptions one = o;
  one.camera.slices = 0;  // as many as SHAVEs
  std::array<int, kMostShaves> shaves{};
  std::iota(shaves.begin(), shaves.end(), 1);
  std::vector<CompileResult> results = convert_each(model, shaves, one);
  std::vector<std::vector<uint8_t>> blobs;
  for (const CompileResult& r : results) blobs.push_back(r.blob.bytes());
  return {Superblob::make(blobs), std::move(results[7])};
}

}  // namespace blobsmith
