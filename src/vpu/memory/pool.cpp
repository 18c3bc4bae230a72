#include "vpu/memory/pool.hpp"

#include <algorithm>

namespace blobsmith::vpu {

std::optional<int64_t> Pool::allocate(int64_t size, int64_t reserved) {
  if (size <= 0) return std::nullopt;
  auto best = free_.end();
  for (auto b = free_.begin(); b != free_.end(); ++b)
    if (b->size >= size && (best == free_.end() || b->size < best->size)) best = b;

  int64_t offset = top_;
  if (best != free_.end()) {
    best->size -= size;
    offset = best->offset + best->size;
    if (best->size == 0) free_.erase(best);
  } else {
    if (size > capacity_ - top_ - reserved) return std::nullopt;
    top_ += size;
  }
  high_water_ = std::max(high_water_, offset + size);
  return offset;
}

void Pool::free(int64_t offset, int64_t size) {
  const auto touches = [&](const Block& b) { return b.offset == offset + size || b.offset + b.size == offset; };
  for (auto b = std::ranges::find_if(free_, touches); b != free_.end(); b = std::ranges::find_if(free_, touches)) {
    offset = std::min(offset, b->offset);
    size += b->size;
    free_.erase(b);
  }
  if (offset + size == top_)
    top_ = offset;
  else
    free_.push_back({offset, size});
}

void Pool::reset() {
  free_.clear();
  top_ = high_water_ = 0;
}

}  // namespace blobsmith::vpu
