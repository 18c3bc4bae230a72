// blobsmith explain: what an error code means; the known faults of Intel's tools.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "blobsmith/layers.hpp"
#include "cli/cli.hpp"
#include "cli/text.hpp"

namespace blobsmith::cli {
namespace {

void print_markdown(const std::vector<ErrorCodeRow>& rows) {
  std::printf(
      "# Error codes\n\nWritten by `blobsmith explain --markdown`. The numbers are stable. Exit codes: commands.md.\n");
  std::string_view group;
  for (const ErrorCodeRow& r : rows) {
    if (const std::string_view g = error_group(r.code); g != group) {
      group = g;
      std::printf("\n## BS%dxxx: %s\n\n| code | meaning | what to do | exit code |\n| --- | --- | --- | --- |\n",
                  static_cast<int>(r.code) / 1000, std::string(g).c_str());
    }
    std::printf("| %s | %s | %s | %d |\n", error_name(r.code).c_str(), std::string(r.meaning).c_str(),
                std::string(r.remedy).c_str(), exit_code(r.code));
  }
}

}  // namespace

int explain_command(const Arguments& args) {
  CLI::App app("Example: blobsmith explain BS2003", "blobsmith explain");
  std::string code;
  bool json = false, markdown = false, faults = false;
  app.add_option("code", code, "an error code, with or without BS; all where left out");
  app.add_flag("--json", json, "as JSON");
  app.add_flag("--markdown", markdown, "as docs/errors.md has it");
  app.add_flag("--faults", faults, "the known wrong results of Intel's tools instead, as docs/quirks.md has them");
  if (const int exit = parse(app, args); exit >= 0) return exit;
  if (faults) {
    std::printf("%s", known_faults_markdown().c_str());
    return kDone;
  }
  std::vector<ErrorCodeRow> rows(error_codes().begin(), error_codes().end());
  if (!code.empty())
    std::erase_if(rows, [&](const ErrorCodeRow& r) {
      return error_name(r.code) != upper_case(code) && error_name(r.code) != "BS" + code;
    });
  if (rows.empty()) {
    Error e(ErrorCode::BadOptionValue, "there is no error code '" + code + "'");
    throw e.hint("blobsmith explain lists all");
  }
  if (markdown) {
    print_markdown(rows);
  } else if (json) {
    nlohmann::ordered_json j = nlohmann::ordered_json::array();
    for (const ErrorCodeRow& r : rows)
      j.push_back({{"code", error_name(r.code)},
                   {"group", error_group(r.code)},
                   {"meaning", r.meaning},
                   {"remedy", r.remedy},
                   {"exit_code", exit_code(r.code)}});
    std::printf("%s\n", j.dump(1).c_str());
  } else {
    for (const ErrorCodeRow& r : rows)
      std::printf("%s  %s\n        %s\n", error_name(r.code).c_str(), std::string(r.meaning).c_str(),
                  std::string(r.remedy).c_str());
  }
  return kDone;
}

}  // namespace blobsmith::cli
