// Moving elements without looking at them: transposes, slices, broadcasts and concatenations are strided copies of
// bytes.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::ops {

/// An axis or index counted from the back when negative, from the front.
inline int64_t from_front(int64_t at, size_t size) { return at < 0 ? at + static_cast<int64_t>(size) : at; }
/// Row-major strides in elements.
std::vector<int64_t> dense_strides(const Shape& shape);
/// Strides that read `from` as if it were broadcast to `to` (numpy rules): 0 on enlarged axes.
std::vector<int64_t> broadcast_strides(const Shape& from, const Shape& to);

/// True for types of whole bytes.
bool is_byte_sized(ElementType type);

/// out[i...] = source element at `offset` + sum of i*strides. All positions must lie inside the source.
Tensor gather_strided(const Tensor& source, const Shape& out, int64_t offset, std::span<const int64_t> strides);
/// The axes of `data`, seen as having the shape `seen_as`, in the order `order`; the copy is given the shape `result`.
Tensor permuted(const Tensor& data, const Shape& seen_as, const std::vector<size_t>& order, Shape result);

/// Elements of a tensor under construction.
class TensorBuilder {
 public:
  TensorBuilder(ElementType type, Shape shape);
  /// Starts from a copy of `t`.
  explicit TensorBuilder(const Tensor& t);
  size_t element_size() const { return element_size_; }
  uint8_t* at(int64_t element) { return bytes_.data() + static_cast<size_t>(element) * element_size_; }
  /// Writes all of `source` with its element 0 at `offset` and the given strides.
  void scatter_strided(const Tensor& source, int64_t offset, std::span<const int64_t> strides);
  Tensor take();

 private:
  ElementType type_;
  Shape shape_;
  size_t element_size_;
  std::vector<uint8_t> bytes_;
};

/// Calls f(linear index, strided index) over all positions of `shape`.
template <class F>
void for_each_position(const Shape& shape, int64_t offset, std::span<const int64_t> strides, F f) {
  const int64_t count = element_count(shape);
  const auto position = std::make_unique<int64_t[]>(shape.size());
  int64_t at = offset;
  for (int64_t i = 0; i < count; ++i) {
    f(i, at);
    for (size_t axis = shape.size(); axis-- > 0;) {
      at += strides[axis];
      if (++position[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      position[axis] = 0;
    }
  }
}

}  // namespace blobsmith::ops
