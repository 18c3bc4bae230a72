// The file of custom layers (MYRIAD_CUSTOM_LAYERS): OpenCL kernels of the user that take the place of layers of the
// same type.
#pragma once
#include <set>
#include <string>

#include "core/bytes.hpp"

namespace blobsmith::vpu {

/// The layer types that the file has kernels for, in lower case. Throws for a file that can't be read.
std::set<std::string> custom_layer_types(const std::string& path);
/// The same from memory.
std::set<std::string> parse_custom_layers(const Bytes& text, const std::string& path);
/// Their kernels can't be put into a blob so far.
Error unsupported_custom_layer(const std::string& name, const std::string& type, const std::string& path);

}  // namespace blobsmith::vpu
