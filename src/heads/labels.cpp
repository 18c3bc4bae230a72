#include "heads/labels.hpp"

#include <charconv>
#include <map>

namespace blobsmith::heads {
namespace {

constexpr size_t kMostLabels = 100000;

/// A quoted text at `at`, with backslashes before quotes; `at` moves behind it.
std::string quoted(std::string_view text, size_t& at) {
  const char quote = text[at++];
  std::string s;
  while (at < text.size() && text[at] != quote) {
    if (text[at] == '\\' && at + 1 < text.size()) ++at;
    s += text[at++];
  }
  ++at;
  return s;
}

}  // namespace

std::vector<std::string> parse_labels(std::string_view text) {
  std::map<int64_t, std::string> named;
  int64_t next = 0;
  for (size_t at = 0; at < text.size() && named.size() < kMostLabels;) {
    const char c = text[at];
    if (c == '\'' || c == '"') {
      named[next++] = quoted(text, at);
    } else if (c >= '0' && c <= '9') {
      const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), next);
      if (error != std::errc{}) return {};
      at = static_cast<size_t>(end - text.data());
    } else {
      ++at;
    }
  }
  std::vector<std::string> labels;
  for (auto& [number, label] : named) {
    if (number != std::ssize(labels)) return {};
    labels.push_back(std::move(label));
  }
  return labels;
}

}  // namespace blobsmith::heads
