// Passes of the conversion that look at the whole graph; true when they changed it.
#pragma once
#include "graph/graph.hpp"

namespace blobsmith::transforms {

bool fold_constants(Graph& graph);     // constant_folding.cpp
bool convert_precision(Graph& graph);  // convert_precision.cpp
// strided_slice_optimization.cpp
bool remove_useless_slices(Graph& graph);
bool share_equal_slices(Graph& graph);
void smart_reshape(Graph& graph);           // smart_reshape.cpp
bool resolve_dynamic_shapes(Graph& graph);  // dynamic/shapes.cpp

}  // namespace blobsmith::transforms
