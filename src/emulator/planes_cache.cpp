#include "emulator/planes_cache.hpp"

namespace blobsmith::emulator {

const ShiftedPlanes& PlanesCache::get(ThreadPool& pool, const Grid& image, int64_t channels, const Window& window,
                                      int64_t out_height, int64_t out_width) {
  const Key key{image, channels, out_height, out_width, window};
  if (planes_ && key == key_) return *planes_;
  planes_.reset();  // makes room first
  planes_.emplace(pool, image, channels, window, out_height, out_width);
  key_ = key;
  begin_ = image.data;
  end_ = image.end();
  return *planes_;
}

}  // namespace blobsmith::emulator
