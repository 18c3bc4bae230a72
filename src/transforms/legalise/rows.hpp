// Products of many rows by a constant matrix. The compiler makes a convolution of each row where their number is not
// divisible by 10; here all rows are the plane of one 1x1 convolution.
#pragma once
#include <vector>

#include "transforms/legalise/legalise.hpp"

namespace blobsmith {

/// Rewrites them, with the Add of a bias behind; the sums are those of the product, whatever their order.
std::vector<Remark> rows_to_planes(Graph& graph);

/// Whether more columns than a product reads would take its plane out of the chip's memory, from where each of the
/// engine's descriptors reads it again.
bool moves_input_away(const Node& product, int64_t spare);

}  // namespace blobsmith
