#include "packaging/parts.hpp"

#include <algorithm>
#include <cstring>

namespace blobsmith::packaging {
namespace {

uint64_t word_of(const uint8_t* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

/// Of two pieces of one size, from their beginnings on.
size_t equal_bytes(const uint8_t* a, const uint8_t* b, size_t most) {
  size_t n = 0;
  constexpr size_t kAtOnce = 64;
  while (n + kAtOnce <= most && std::memcmp(a + n, b + n, kAtOnce) == 0) n += kAtOnce;
  while (n + 8 <= most && word_of(a + n) == word_of(b + n)) n += 8;
  while (n < most && a[n] == b[n]) ++n;
  return n;
}

}  // namespace

Places::Places(const ChunkedBytes& file) {
  size_t at = 0;
  for (const Bytes& part : file.parts()) {
    offsets_.try_emplace({part.data(), part.size()}, at);
    at += part.size();
  }
}

std::optional<size_t> Places::find(const Bytes& piece) const {
  const auto it = offsets_.find({piece.data(), piece.size()});
  return it == offsets_.end() ? std::nullopt : std::optional(it->second);
}

Parts::Parts(std::span<const uint8_t> file) : size_(file.size()) {
  if (!file.empty()) parts_.push_back({0, file, {}});
}

Parts::Parts(const ChunkedBytes& file, const Places& older) {
  for (const Bytes& part : file.parts()) {
    parts_.push_back({size_, part.span(), older.find(part)});
    size_ += part.size();
  }
}

const Parts::Part& Parts::part_at(size_t at) const {
  return *std::prev(std::ranges::upper_bound(parts_, at, {}, &Part::at));
}

size_t Parts::same_as(std::span<const uint8_t> older, size_t older_at, size_t at, size_t most) const {
  if (older_at >= older.size() || at >= size_) return 0;
  most = std::min({most, older.size() - older_at, size_ - at});
  size_t same = 0;
  for (const Part* part = &part_at(at); same < most; ++part) {
    const size_t begin = at + same - part->at;
    const size_t count = std::min(part->bytes.size() - begin, most - same);
    if (part->older_at && *part->older_at + begin == older_at + same) {
      same += count;
      continue;
    }
    const size_t equal = equal_bytes(older.data() + older_at + same, part->bytes.data() + begin, count);
    same += equal;
    if (equal < count) break;
  }
  return same;
}

std::span<const uint8_t> Parts::rest(size_t at) const {
  const Part& part = part_at(at);
  return part.bytes.subspan(at - part.at);
}

std::span<const uint8_t> Parts::bytes(size_t at, size_t count, std::vector<uint8_t>& room) const {
  if (count == 0) return {};
  const Part* part = &part_at(at);
  if (at - part->at + count <= part->bytes.size()) return part->bytes.subspan(at - part->at, count);
  room.clear();
  for (; count > 0; ++part) {
    const size_t begin = at - part->at, some = std::min(count, part->bytes.size() - begin);
    room.insert(room.end(), part->bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                part->bytes.begin() + static_cast<std::ptrdiff_t>(begin + some));
    at += some;
    count -= some;
  }
  return room;
}

}  // namespace blobsmith::packaging
