// blobsmith inspect: what is in a blob, a superblob or an NN archive.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "blobsmith/files.hpp"
#include "blobsmith/inspect.hpp"
#include "blobsmith/nn_archive.hpp"
#include "blobsmith/superblob.hpp"
#include "cli/cli.hpp"
#include "reports/json.hpp"

namespace blobsmith::cli {
namespace {

using Json = reports::Json;

Json blob_json(const BlobInfo& blob) { return Json::parse(blob.json()); }

Json superblob_json(const Superblob& s) {
  Json j{{"kind", "superblob"},
         {"file_size", s.bytes().size()},
         {"base_size", s.base().size()},
         {"patches", Json::array()}};
  for (int n = 1; n <= kMostShaves; ++n) {
    const BlobInfo blob = inspect(s.blob(n));
    j["patches"].push_back({{"shaves", n}, {"bytes", s.patch_size(n)}, {"blob_shaves", blob.shaves}});
  }
  j["base"] = blob_json(inspect(s.base()));
  j["readers"] = {"depthai 3"};
  return j;
}

std::string superblob_text(const Superblob& s) {
  std::string text = "superblob: " + std::to_string(s.bytes().size()) + " bytes, for depthai 3 (not 2)\n";
  for (int n = 1; n <= kMostShaves; ++n) {
    const BlobInfo blob = inspect(s.blob(n));
    text += "  " + std::to_string(n) +
            " SHAVEs: " + (s.patch_size(n) ? "patch of " + std::to_string(s.patch_size(n)) + " bytes" : "the base") +
            ", blob of " + std::to_string(blob.file_size) + " bytes for " + std::to_string(blob.shaves) + " SHAVEs\n";
  }
  return text + "base:\n" + inspect(s.base()).text();
}

void print_model(std::vector<uint8_t> model, bool json) {
  if (is_superblob(model)) {
    const Superblob s = Superblob::read(std::move(model));
    std::fputs(json ? (reports::text(superblob_json(s)) + "\n").c_str() : superblob_text(s).c_str(), stdout);
    return;
  }
  const BlobInfo blob = inspect(model);
  std::fputs((json ? blob.json() : blob.text()).c_str(), stdout);
}

void print_archive(const std::string& file, bool json) {
  NnArchive a = read_nn_archive(file);
  if (!json) {
    std::printf("NN archive for depthai 3 (not 2), with %zu files:\n", a.members.size());
    for (const std::string& m : a.members) std::printf("  %s\n", m.c_str());
    std::printf("%s\n%s: ", a.config.c_str(), a.model_name.c_str());
    return print_model(std::move(a.model), false);
  }
  Json j{{"kind", "nn archive"}, {"members", a.members}, {"model_name", a.model_name}, {"readers", {"depthai 3"}}};
  j["config"] = Json::parse(a.config);
  j["model"] =
      is_superblob(a.model) ? superblob_json(Superblob::read(std::move(a.model))) : blob_json(inspect(a.model));
  std::printf("%s\n", reports::text(j).c_str());
}

}  // namespace

int inspect_command(const Arguments& args) {
  CLI::App app("Example: blobsmith inspect model.blob --json", "blobsmith inspect");
  std::string file;
  bool json = false;
  app.add_option("blob", file, "a .blob of OpenVINO 2020.1 to 2022.1, a .superblob, or an NN archive (.tar.xz)")
      ->required();
  app.add_flag("--json", json, "as JSON");
  if (const int code = parse(app, args); code >= 0) return code;
  if (is_nn_archive_name(file)) {
    print_archive(file, json);
  } else if (file.ends_with(".superblob")) {
    print_model(load_file(file), json);
  } else {
    const BlobInfo blob = inspect(file);
    std::fputs((json ? blob.json() : blob.text()).c_str(), stdout);
  }
  return kDone;
}

}  // namespace blobsmith::cli
