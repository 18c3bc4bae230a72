// Letter cases, and numbers as text.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace blobsmith {

/// Of ASCII letters.
std::string lower_case(std::string_view text);
bool same_caseless(std::string_view a, std::string_view b);

/// `digits` significant digits, as printf's %g: 17 hold every double, 6 are what streams print.
std::string number_text(double value, int digits);
/// "07": with zeros in front up to this width.
std::string padded(uint64_t value, size_t width);

}  // namespace blobsmith
