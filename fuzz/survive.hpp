// What every fuzzer allows: the program's own errors. Anything else that is thrown, and its internal error, is a
// finding.
#pragma once
#include <algorithm>
#include <string_view>

#include "core/bytes.hpp"
#include "core/error.hpp"

namespace blobsmith::fuzz {

/// Calls it; false when it ended with an error.
template <class F>
bool survive(F call) {
  const auto is_bug = [](const Error& e) { return e.code() == ErrorCode::Internal; };
  try {
    call();
    return true;
  } catch (const Error& e) {
    if (is_bug(e)) __builtin_trap();
  } catch (const ErrorList& list) {
    if (std::ranges::any_of(list.errors(), is_bug)) __builtin_trap();
  }
  return false;
}

inline Bytes bytes_of(std::string_view text) {
  return Bytes::copy_of(std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

/// Takes what stands before the first zero byte, and that byte, off the front.
inline std::string_view take_text(std::string_view& rest) {
  const size_t n = std::min(rest.find('\0'), rest.size());
  const std::string_view text = rest.substr(0, n);
  rest.remove_prefix(std::min(n + 1, rest.size()));
  return text;
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace blobsmith::fuzz
