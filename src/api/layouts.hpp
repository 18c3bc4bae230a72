// Layouts that a user states for a model's inputs and outputs (ConversionOptions::layout).
#pragma once
#include <string_view>

#include "graph/graph.hpp"

namespace blobsmith::api {

/// `text` as Model Optimizer 2022.1's --layout: "nhwc->nchw" of the only input, "x(nhwc->nchw),y(nc)" by name. Where
/// both layouts are stated, the input is given, or the output delivered, in the second: a Transpose is inserted.
/// Throws BadOptionValue, and BadInputName for what is neither an input nor an output.
void apply_layouts(Graph& graph, std::string_view text);

}  // namespace blobsmith::api
