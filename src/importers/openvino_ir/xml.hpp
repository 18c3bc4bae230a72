// Typed access to XML attributes with the reference's messages (front-end spec §12.1).
#pragma once
#include <cstdint>
#include <optional>
#include <pugixml.hpp>
#include <string>

#include "core/error.hpp"

namespace blobsmith::ir {

Error xml_error(std::string what);
Error graph_error(std::string what);

/// The text of a mandatory attribute.
std::string text_attribute(const pugi::xml_node& node, const char* name);
/// A mandatory unsigned 32 bit number.
uint32_t unsigned_attribute(const pugi::xml_node& node, const char* name);
/// A mandatory unsigned 64 bit number.
uint64_t unsigned64_attribute(const pugi::xml_node& node, const char* name);
/// A signed number; `fallback` where the attribute is absent, or an error when there is no fallback.
int64_t integer_attribute(const pugi::xml_node& node, const char* name, std::optional<int64_t> fallback = std::nullopt);

}  // namespace blobsmith::ir
