#include "core/text.hpp"

#include <algorithm>
#include <cstdio>

#include "blobsmith/tensor.hpp"

namespace blobsmith {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string lower_case(std::string_view text) {
  std::string s(text);
  std::ranges::transform(s, s.begin(), lower);
  return s;
}

bool same_caseless(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

std::string number_text(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*g", digits, value);
  return text;
}

std::string padded(uint64_t value, size_t width) {
  const std::string s = std::to_string(value);
  return std::string(width - std::min(width, s.size()), '0') + s;
}

std::string shape_text(const Shape& shape) {
  std::string s;
  for (const int64_t d : shape) s += (s.empty() ? "" : "x") + std::to_string(d);
  return s;
}

}  // namespace blobsmith
