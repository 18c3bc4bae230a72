// Networks whose constants Model Optimizer 2022 stores in FP16.
#pragma once
#include <string_view>

#include "graph/graph.hpp"

namespace blobsmith {

/// Of a Convert: the file says that it restores what was stored in FP16.
inline constexpr std::string_view kDecompression = "decompression";
/// Of a Parameter: the type that its user gives, where the network computes with another.
inline constexpr std::string_view kDeclaredType = "declared_type";

/// A network with such Converts is computed in FP16 as a whole, where the release does that. `quirks`: with the
/// reference's rounding of numbers below 2^-45.
void compute_compressed_in_half(Graph& graph, bool quirks);

}  // namespace blobsmith
