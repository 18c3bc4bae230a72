#include "importers/tflite/sparsity.hpp"

#include <algorithm>
#include <cstring>

namespace blobsmith::tflite_file {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw Error(ErrorCode::FileCorrupt, "the places of its values: " + what);
}

class Expansion {
 public:
  Expansion(const Sparsity& sparsity, const Shape& shape, size_t element_size, const Bytes& values)
      : sparsity_(sparsity), element_size_(element_size), values_(values) {
    const size_t rank = shape.size(), count = rank + sparsity.blocked_axes.size();
    if (sparsity.levels.size() != count || sparsity.order.size() != count)
      refuse(std::to_string(sparsity.levels.size()) + " levels in an order of " +
             std::to_string(sparsity.order.size()) + ", " + std::to_string(count) + " expected");
    std::vector<size_t> level_of(count, count);
    for (size_t level = 0; level < count; ++level) {
      const int64_t what = sparsity.order[level];
      if (what < 0 || what >= std::ssize(level_of) || level_of[static_cast<size_t>(what)] != count)
        refuse("the order of the levels names " + std::to_string(what) + " twice, or it is not there");
      level_of[static_cast<size_t>(what)] = level;
    }
    strides_.resize(count);
    sizes_.resize(count);
    int64_t stride = 1;
    for (size_t axis = rank; axis-- > 0; stride *= shape[axis]) {
      const size_t level = level_of[axis];
      strides_[level] = stride;
      sizes_[level] = shape[axis];
    }
    std::vector<bool> blocked(rank);
    for (size_t i = 0; i < sparsity.blocked_axes.size(); ++i) {
      const int64_t axis = sparsity.blocked_axes[i];
      if (axis < 0 || axis >= std::ssize(shape) || blocked[static_cast<size_t>(axis)])
        refuse("axis " + std::to_string(axis) + " is not there or cut into blocks twice");
      blocked[static_cast<size_t>(axis)] = true;
      const size_t outer = level_of[static_cast<size_t>(axis)], inner = level_of[rank + i];
      const int64_t block = sparsity.levels[inner].size;
      if (sparsity.levels[inner].is_sparse || block < 1 || sizes_[outer] % block != 0)
        refuse("axis " + std::to_string(axis) + " does not divide into its blocks");
      strides_[inner] = strides_[outer];
      sizes_[inner] = block;
      strides_[outer] *= block;
      sizes_[outer] /= block;
    }
    for (size_t level = 0; level < count; ++level)
      if (!sparsity.levels[level].is_sparse && sparsity.levels[level].size != sizes_[level])
        refuse("level " + std::to_string(level) + " has " + std::to_string(sparsity.levels[level].size) + " places, " +
               std::to_string(sizes_[level]) + " expected");
  }

  void fill(uint8_t* to) const { fill(to, 0, 0, 0); }

 private:
  /// What lies below place `place` of the level above `level`. Places within a level differ, so that no element is
  /// visited twice, whatever the file says.
  void fill(uint8_t* to, size_t level, size_t place, size_t element) const {
    if (level == sizes_.size()) {
      if (place >= values_.size() / element_size_) refuse("there are fewer values than places");
      std::memcpy(to + element * element_size_, values_.data() + place * element_size_, element_size_);
      return;
    }
    const SparseLevel& l = sparsity_.levels[level];
    const auto stride = static_cast<size_t>(strides_[level]), size = static_cast<size_t>(sizes_[level]);
    if (!l.is_sparse) {
      for (size_t i = 0; i < size; ++i) fill(to, level + 1, place * size + i, element + i * stride);
      return;
    }
    if (place + 1 >= l.segments.size()) refuse("level " + std::to_string(level) + " has too few segments");
    const int64_t first = l.segments[place], end = l.segments[place + 1];
    if (first < 0 || first > end || end > std::ssize(l.indices))
      refuse("a segment of level " + std::to_string(level) + " lies outside of the indices");
    for (int64_t i = first, last = -1; i < end; ++i) {
      const int64_t index = l.indices[static_cast<size_t>(i)];
      if (index <= last || index >= sizes_[level])
        refuse("an index of level " + std::to_string(level) + " is out of range or out of order");
      last = index;
      fill(to, level + 1, static_cast<size_t>(i), element + static_cast<size_t>(index) * stride);
    }
  }

  const Sparsity& sparsity_;
  size_t element_size_;
  const Bytes& values_;
  std::vector<int64_t> strides_, sizes_;  ///< of each level, in elements
};

}  // namespace

std::vector<uint8_t> with_zeros(const Sparsity& sparsity, const Shape& shape, size_t element_size, size_t bytes,
                                const Bytes& values) {
  std::vector<uint8_t> all(bytes);
  if (bytes != 0) Expansion(sparsity, shape, element_size, values).fill(all.data());
  return all;
}

}  // namespace blobsmith::tflite_file
