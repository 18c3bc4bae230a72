// What --help looks like.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace blobsmith::cli {

/// Titles of the groups that --help lists options in; "Options" holds what is a verb's own.
inline constexpr const char* kOwnOptions = "Options";
inline constexpr const char* kFrameworks = "Single frameworks";
/// Options that are taken and change nothing: --help leaves them out.
inline constexpr const char* kHiddenOptions = "";

/// Options declared from here on are listed under this title.
inline void begin_group(CLI::App& app, const char* title) { app.option_defaults()->group(title); }

/// One spelling of each name (Model Optimizer's options have two, with dashes and with underscores), descriptions in
/// a column of their own.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_group(std::string title, bool is_positional, std::vector<const CLI::Option*> options) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
};

}  // namespace blobsmith::cli
