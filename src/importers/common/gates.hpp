// Weights of recurrent cells, whose gates are parts of one matrix.
#pragma once
#include <vector>

#include "graph/graph.hpp"

namespace blobsmith::importers {

/// Columns of [rows, gates · H] or [gates · H], turned to [gates · H, rows], in another order of gates.
Tensor turned_gates(const Tensor& t, int64_t hidden, const std::vector<int64_t>& gates);
/// `count` rows of a matrix, from `first` on, as f32.
Tensor rows_of(const Tensor& matrix, int64_t first, int64_t count);

}  // namespace blobsmith::importers
