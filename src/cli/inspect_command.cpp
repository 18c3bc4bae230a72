// blobsmith inspect: what is in a blob.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/cli.hpp"
#include "core/file.hpp"
#include "vpu/format/inspect.hpp"
#include "vpu/format/reader.hpp"

namespace blobsmith::cli {

int inspect_command(const Arguments& args) {
  CLI::App app("Example: blobsmith inspect model.blob --json", "blobsmith inspect");
  std::string file;
  bool json = false;
  app.add_option("blob", file, "a .blob of OpenVINO 2020.1 to 2022.1")->required();
  app.add_flag("--json", json, "as JSON");
  if (const int code = parse(app, args); code >= 0) return code;
  try {
    const vpu::Blob blob = vpu::read_blob(read_file(file));
    std::fputs((json ? vpu::inspect_json(blob) : vpu::inspect_text(blob)).c_str(), stdout);
    return kDone;
  } catch (Error& e) {
    if (e.file().empty()) e.in_file(file);
    throw;
  }
}

}  // namespace blobsmith::cli
