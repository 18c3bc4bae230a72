// Networks whose constants Model Optimizer 2022 stores in FP16.
#pragma once
#include <string_view>
#include <vector>

#include "blobsmith/remark.hpp"
#include "graph/graph.hpp"

namespace blobsmith {

/// Of a Convert: the file says that it restores what was stored in FP16.
inline constexpr std::string_view kDecompression = "decompression";
/// Of a Parameter: the type that its user gives, where the network computes with another.
inline constexpr std::string_view kDeclaredType = "declared_type";

namespace transforms {
/// Whether `n` is such a Convert. Nothing folds it.
bool is_decompression(const Node& n);
}  // namespace transforms

/// What is computed of constants alone where weights are stored in FP16 or in integers: they become constants, which
/// is what rewrites look for.
void restore_constants(Graph& graph);

/// avoid_faults, which looks at constants: at those behind such Converts as well.
std::vector<Remark> avoid_faults_of_compressed(Graph& graph);

}  // namespace blobsmith
