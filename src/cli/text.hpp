// Text for terminals and pages.
#pragma once
#include <string>
#include <string_view>

namespace blobsmith::cli {

/// What printf would print.
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);
/// For HTML: names are never markup.
std::string escaped(std::string_view text);
/// Of ASCII letters.
std::string upper_case(std::string text);

}  // namespace blobsmith::cli
