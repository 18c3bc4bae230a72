// What a user calls a node.
#pragma once
#include <string>
#include <string_view>

#include "graph/graph.hpp"

namespace blobsmith {

/// Attribute of a node that has lost its name to another one: the name that the user's file gives it.
inline constexpr std::string_view kLayerName = "layer_name";

inline std::string layer_name(const Node& n) { return n.attrs.text(kLayerName, n.name); }

}  // namespace blobsmith
