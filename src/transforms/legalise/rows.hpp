// Products of many rows by a constant matrix. The compiler makes a convolution of each row where their number is not
// divisible by 10; here all rows are the plane of one 1x1 convolution.
#pragma once
#include <vector>

#include "transforms/legalise/legalise.hpp"

namespace blobsmith {

/// Rewrites them, with the Add of a bias behind; the sums are those of the product, whatever their order.
std::vector<Remark> rows_to_planes(Graph& graph);

}  // namespace blobsmith
