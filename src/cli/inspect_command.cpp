// blobsmith inspect: what is in a blob.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "blobsmith/inspect.hpp"
#include "cli/cli.hpp"

namespace blobsmith::cli {

int inspect_command(const Arguments& args) {
  CLI::App app("Example: blobsmith inspect model.blob --json", "blobsmith inspect");
  std::string file;
  bool json = false;
  app.add_option("blob", file, "a .blob of OpenVINO 2020.1 to 2022.1")->required();
  app.add_flag("--json", json, "as JSON");
  if (const int code = parse(app, args); code >= 0) return code;
  const BlobInfo blob = inspect(file);
  std::fputs((json ? blob.json() : blob.text()).c_str(), stdout);
  return kDone;
}

}  // namespace blobsmith::cli
