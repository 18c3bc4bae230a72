#include "cli/help.hpp"

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

namespace blobsmith::cli {
namespace {

constexpr size_t kLineWidth = 110;

std::string with_dashes(std::string name) {
  std::ranges::replace(name, '_', '-');
  return name;
}

std::string wrapped(const std::string& text, size_t width) {
  std::istringstream words(text);
  std::string lines;
  size_t used = 0;
  for (std::string word; words >> word;) {
    const bool breaks = used != 0 && used + 1 + word.size() > width;
    if (used != 0) lines += breaks ? '\n' : ' ';
    used = (used == 0 || breaks ? 0 : used + 1) + word.size();
    lines += word;
  }
  return lines;
}

}  // namespace

std::string HelpFormatter::make_group(std::string title, bool is_positional,
                                      std::vector<const CLI::Option*> options) const {
  const std::string group = Formatter::make_group(title, is_positional, std::move(options));
  return is_positional || title == kOwnOptions ? group : group.substr(1);  // CLI11 leaves two lines between groups
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  if (is_positional) return Formatter::make_option_name(option, true);
  std::string names;
  for (const std::string& n : option->get_snames()) names += (names.empty() ? "-" : ", -") + n;
  std::vector<std::string> shown;
  for (const std::string& n : option->get_lnames()) {
    if (std::ranges::find(shown, with_dashes(n), with_dashes) != shown.end()) continue;
    shown.push_back(n);
    names += (names.empty() ? "--" : ", --") + n;
  }
  return names;
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool is_positional) const {
  const bool told_before = !is_positional && option->get_positional();
  const std::string what = told_before ? "the same" : make_option_desc(option);
  const std::string value = told_before ? " TEXT" : make_option_opts(option);
  std::ostringstream out;
  CLI::detail::format_help(out, make_option_name(option, is_positional) + value,
                           wrapped(what, kLineWidth - column_width_), column_width_);
  return out.str();
}

}  // namespace blobsmith::cli
