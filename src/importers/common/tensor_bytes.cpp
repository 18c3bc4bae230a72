#include "importers/common/tensor_bytes.hpp"

namespace blobsmith::importers {

uint64_t bytes_of(ElementType type, const Shape& shape, const std::string& who) {
  int64_t bits = 0;
  if (__builtin_mul_overflow(element_count(shape), static_cast<int64_t>(bit_width(type)), &bits))
    throw Error(ErrorCode::ShapeMismatch, who + " of shape " + to_string(shape) + " is too large");
  return (static_cast<uint64_t>(bits) + 7) / 8;
}

std::optional<Bytes> part_of(const Bytes& file, uint64_t offset, uint64_t size) {
  if (offset > file.size() || size > file.size() - offset) return std::nullopt;
  return file.slice(offset, size);
}

Bytes placed(const Bytes& part, size_t width) {
  if (width == 0 || reinterpret_cast<uintptr_t>(part.data()) % width == 0) return part;
  return Bytes::deferred_if_many(part.size(), [part, width] {
    Bytes r = part.aligned(width);
    part.leave_memory();
    return r;
  });
}

}  // namespace blobsmith::importers
