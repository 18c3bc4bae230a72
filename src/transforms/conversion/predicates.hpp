// What several rewrites of the model optimizations ask of a node.
#pragma once
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {

/// Addition or subtraction of 0, multiplication or division by 1, that does not enlarge x. nop_elimination.cpp
bool is_neutral(const Node& n, Value x, Value constant);
/// The last step from quantized to real numbers: (Convert(integers) [- zero point]) · scale. nop_elimination.cpp
bool dequantizes(const Node& n);

}  // namespace blobsmith::transforms
