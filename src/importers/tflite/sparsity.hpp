// Constants that a .tflite file keeps without their zeros -> all their values. The file describes the levels of a tree:
// each is an axis of the tensor, or of the blocks into which an axis is cut, and holds all of its places or (compressed
// sparse rows) those named by `indices`, from segments[p] to segments[p + 1] below place p of the level above. The
// values are the leaves from left to right. For example, [[0, 7], [0, 0], [5, 6]] has two levels: all of 3 rows; then
// columns with the segments 0 1 1 3 of the indices 1 0 1. Its values: 7 5 6. Facts: the public schema of TensorFlow
// Lite.
#pragma once
#include <cstdint>
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::tflite_file {

struct SparseLevel {
  bool is_sparse = false;
  int64_t size = 0;  ///< of a level that is not sparse
  std::vector<int64_t> segments, indices;
};

struct Sparsity {
  std::vector<int64_t> order;         ///< of each level: an axis, or rank + the number of an entry of blocked_axes
  std::vector<int64_t> blocked_axes;  ///< axes that are cut into blocks
  std::vector<SparseLevel> levels;
};

/// The `bytes` bytes of a tensor of `shape`; `values` are those that the file keeps, of `element_size` bytes each.
/// Throws FileCorrupt where levels, shape and values don't fit.
std::vector<uint8_t> with_zeros(const Sparsity& sparsity, const Shape& shape, size_t element_size, size_t bytes,
                                const Bytes& values);

}  // namespace blobsmith::tflite_file
