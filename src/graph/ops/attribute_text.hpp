// Attribute values as IR files spell them (front-end spec §1.3).
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "graph/ops/op.hpp"

namespace blobsmith::ops {

/// The value of an attribute; nothing when the text keeps the default (a bool that is neither true nor false).
/// Throws BadAttribute (without a layer) for text that is no such value.
std::optional<Attributes::Value> parse_attribute(const AttributeSpec& spec, std::string_view text);
/// The same value as text: what Model Optimizer writes, and parse_attribute() reads back (lists of reals: to six
/// digits).
std::string print_attribute(const AttributeSpec& spec, const Attributes::Value& value);

int64_t parse_integer(std::string_view text);  ///< the leading number
double parse_real(std::string_view text);
std::vector<int64_t> parse_integers(std::string_view text);
/// "1, 3, 224"
std::string print_integers(const std::vector<int64_t>& values);

}  // namespace blobsmith::ops
