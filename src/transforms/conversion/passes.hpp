// Passes of the conversion that look at the whole graph; true when they changed it.
#pragma once
#include <string_view>

#include "graph/graph.hpp"

namespace blobsmith::transforms {

/// Set on a reduction of integers that is to stay one: its stage is exact, the pooling that Intel makes of it is not.
inline constexpr std::string_view kStaysReduction = "stays_reduction";

/// Set on a product by a constant that is not to be joined with its neighbours: FP16 does not hold the joint factor.
inline constexpr std::string_view kStaysApart = "stays_apart";

/// Set on an L2 norm, and on a division that becomes one, of which the factor is to be read as the model says.
inline constexpr std::string_view kExactFactor = "exact_factor";

bool fold_constants(Graph& graph);                 // constant_folding.cpp
bool compute_compressed_in_half(Graph& graph);     // ../compressed_models.cpp
bool convert_precision(Graph& graph);              // convert_precision.cpp
bool align_constant_ranks(Graph& graph);           // align_ranks.cpp
bool reverse_channels_in_constants(Graph& graph);  // reversed_channels.cpp
bool push_strides_up(Graph& graph);                // stride_optimization.cpp
// strided_slice_optimization.cpp
bool remove_useless_slices(Graph& graph);
bool share_equal_slices(Graph& graph);
bool split_into_slices(Graph& graph);
void smart_reshape(Graph& graph);           // smart_reshape.cpp
bool resolve_dynamic_shapes(Graph& graph);  // dynamic/shapes.cpp

}  // namespace blobsmith::transforms
