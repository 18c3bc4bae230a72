#include "graph/ops/strided.hpp"

#include <cstring>

namespace blobsmith::ops {

std::vector<int64_t> dense_strides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

std::vector<int64_t> broadcast_strides(const Shape& from, const Shape& to) {
  const std::vector<int64_t> dense = dense_strides(from);
  std::vector<int64_t> strides(to.size(), 0);
  for (size_t i = 0; i < from.size() && i < to.size(); ++i) {
    const size_t f = from.size() - 1 - i, t = to.size() - 1 - i;
    strides[t] = from[f] == 1 ? 0 : dense[f];
  }
  return strides;
}

bool is_byte_sized(ElementType type) { return bit_width(type) % 8 == 0; }

TensorBuilder::TensorBuilder(ElementType type, Shape shape)
    : type_(type),
      shape_(std::move(shape)),
      element_size_(byte_width(type)),
      bytes_(static_cast<size_t>(element_count(shape_)) * element_size_) {
  ensure(is_byte_sized(type), "tensor of a sub-byte type");
}

TensorBuilder::TensorBuilder(const Tensor& t) : TensorBuilder(t.type, t.shape) {
  ensure(t.bytes.size() >= bytes_.size(), "constant shorter than its shape");
  if (!bytes_.empty()) std::memcpy(bytes_.data(), t.bytes.data(), bytes_.size());
}

namespace {
template <class Element>
void copy_in(uint8_t* out, const uint8_t* in, const Shape& shape, int64_t offset, std::span<const int64_t> strides,
             bool scatter) {
  for_each_position(shape, offset, strides, [&](int64_t linear, int64_t strided) {
    const int64_t to = scatter ? strided : linear, from = scatter ? linear : strided;
    std::memcpy(out + static_cast<size_t>(to) * sizeof(Element), in + static_cast<size_t>(from) * sizeof(Element),
                sizeof(Element));
  });
}

void copy(size_t element_size, uint8_t* out, const uint8_t* in, const Shape& shape, int64_t offset,
          std::span<const int64_t> strides, bool scatter) {
  switch (element_size) {
    case 1: return copy_in<uint8_t>(out, in, shape, offset, strides, scatter);
    case 2: return copy_in<uint16_t>(out, in, shape, offset, strides, scatter);
    case 4: return copy_in<uint32_t>(out, in, shape, offset, strides, scatter);
    case 8: return copy_in<uint64_t>(out, in, shape, offset, strides, scatter);
    default: throw internal_error("element size");
  }
}
}  // namespace

namespace {
/// Whether every position of `shape` lies inside `size` bytes.
bool within(const Shape& shape, int64_t offset, std::span<const int64_t> strides, size_t element_size, size_t size) {
  int64_t lowest = offset, highest = offset;
  for (size_t i = 0; i < shape.size(); ++i) {
    int64_t reach = 0;
    if (shape[i] == 0) return true;  // there is no position
    if (__builtin_mul_overflow(shape[i] - 1, strides[i], &reach) ||
        __builtin_add_overflow(reach < 0 ? lowest : highest, reach, reach < 0 ? &lowest : &highest))
      return false;
  }
  return lowest >= 0 && static_cast<uint64_t>(highest) < size / element_size;
}
}  // namespace

void TensorBuilder::scatter_strided(const Tensor& source, int64_t offset, std::span<const int64_t> strides) {
  ensure(
      byte_width(source.type) == element_size_ && within(source.shape, offset, strides, element_size_, bytes_.size()),
      "a strided copy that leaves its tensor");
  copy(element_size_, bytes_.data(), source.bytes.data(), source.shape, offset, strides, true);
}

Tensor TensorBuilder::take() { return {type_, std::move(shape_), Bytes::adopt(std::move(bytes_))}; }

Tensor gather_strided(const Tensor& source, const Shape& out, int64_t offset, std::span<const int64_t> strides) {
  ensure(is_byte_sized(source.type), "tensor of a sub-byte type");
  const size_t size = byte_width(source.type);
  ensure(within(out, offset, strides, size, source.bytes.size()), "a strided copy that leaves its tensor");
  const uint8_t* from = source.bytes.data();  // made now where they are deferred: before there is room for the copy
  std::vector<uint8_t> bytes(static_cast<size_t>(element_count(out)) * size);
  copy(size, bytes.data(), from, out, offset, strides, false);
  return {source.type, out, Bytes::adopt(std::move(bytes))};
}

Tensor permuted(const Tensor& data, const Shape& seen_as, const std::vector<size_t>& order, Shape result) {
  const std::vector<int64_t> dense = dense_strides(seen_as);
  Shape out;
  std::vector<int64_t> strides;
  for (size_t axis : order) {
    out.push_back(seen_as[axis]);
    strides.push_back(dense[axis]);
  }
  Tensor t = gather_strided(data, out, 0, strides);
  t.shape = std::move(result);
  return t;
}

}  // namespace blobsmith::ops
