#include "core/nearest.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>
#include <vector>

namespace blobsmith {
namespace {

/// How many letters have to be changed, added or left out.
size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string plain(std::string_view word) {
  std::string text(word);
  std::ranges::replace(text, '_', '-');
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  text.erase(0, std::min(text.find_first_not_of('-'), text.size()));
  return text;
}

}  // namespace

std::string nearest(std::string_view wanted, std::span<const std::string> words) {
  const std::string plain_wanted = plain(wanted);
  std::string best;
  std::pair fewest(plain_wanted.size() / 2 + 2, size_t{0});  // then by what was written
  for (const std::string& w : words)
    if (const std::pair edits(edits_between(plain(w), plain_wanted), edits_between(w, wanted)); edits < fewest) {
      fewest = edits;
      best = w;
    }
  return best;
}

}  // namespace blobsmith
