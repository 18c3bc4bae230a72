// Text of reports.
#pragma once
#include <cstdio>
#include <string>
#include <string_view>

namespace blobsmith::cli {

/// printf into a string, cut off at 600 bytes.
template <class... T>
std::string format(const char* pattern, T... values) {
  char text[600];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// For HTML and its attributes; control characters become blanks.
std::string escaped(std::string_view s);

}  // namespace blobsmith::cli
