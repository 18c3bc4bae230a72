// Names of layer types as the reference's layer network and its messages have them (front-end spec §6.2).
#pragma once
#include <string>
#include <string_view>

#include "graph/graph.hpp"

namespace blobsmith::vpu {

/// "ConvolutionIE" -> "Convolution", "Add" -> "Eltwise"; a type without an entry keeps its name.
std::string_view layer_type(const Node& n);
/// The operation of an Eltwise layer: "sum", "logical_and"; empty when the node is none.
std::string_view eltwise_operation(const Node& n);
/// Constants at ports from this one on belong to the layer (weights); a number beyond all ports when there are none.
int first_internal_port(const Node& n);
/// The operation that the conversion makes of this one when its form allows; empty for operations that stay as they
/// are.
std::string_view wanted_conversion(const Node& n);
/// Reshape and its like: their second input, when constant, tells only the output's shape (front-end spec §6.5).
bool takes_shape_constant(std::string_view layer_type);

}  // namespace blobsmith::vpu
