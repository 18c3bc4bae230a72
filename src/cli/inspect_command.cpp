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

void print_blob(const std::vector<uint8_t>& bytes, bool json) {
  const BlobInfo blob = inspect(bytes);
  std::fputs((json ? blob.json() : blob.text()).c_str(), stdout);
}

void print_superblob(const Superblob& s, bool json) {
  std::fputs(json ? (reports::text(superblob_json(s)) + "\n").c_str() : superblob_text(s).c_str(), stdout);
}

void print_archive(const NnArchive& a, bool json) {
  const bool is_super = is_superblob(a.model);
  if (!json) {
    std::printf("NN archive for depthai 3 (not 2), with %zu files:\n", a.members.size());
    for (const std::string& m : a.members) std::printf("  %s\n", m.c_str());
    std::printf("%s\n%s: ", a.config.c_str(), a.model_name.c_str());
    return is_super ? print_superblob(Superblob::read(a.model), false) : print_blob(a.model, false);
  }
  Json j{{"kind", "nn archive"}, {"members", a.members}, {"model_name", a.model_name}, {"readers", {"depthai 3"}}};
  j["config"] = Json::parse(a.config);
  j["model"] = is_super ? superblob_json(Superblob::read(a.model)) : blob_json(inspect(a.model));
  std::printf("%s\n", reports::text(j).c_str());
}

/// The blob for so many SHAVEs, of what may hold one for every number.
std::vector<uint8_t> blob_for(std::vector<uint8_t> model, int shaves) {
  if (is_superblob(model)) return Superblob::read(std::move(model)).blob(shaves);
  const int has = inspect(model).shaves;
  if (has != shaves)
    throw Error(ErrorCode::BadOptionValue,
                "the blob is for " + std::to_string(has) + " SHAVEs, not " + std::to_string(shaves))
        .hint("only a superblob has one for every number");
  return model;
}

}  // namespace

int inspect_command(const Arguments& args) {
  CLI::App app("Example: blobsmith inspect model.blob --json", "blobsmith inspect");
  std::string file, extracted;
  bool json = false;
  int shaves = 0;
  app.add_option("blob", file, "a .blob of OpenVINO 2020.1 to 2022.1, a .superblob, or an NN archive (.tar.xz)")
      ->required();
  app.add_option("--shaves", shaves, "of a superblob, alone or in an archive: its blob for so many SHAVEs")
      ->check(CLI::Range(1, kMostShaves));
  app.add_option("--extract", extracted, "also write that blob to this file")->needs("--shaves");
  app.add_flag("--json", json, "as JSON");
  if (const int code = parse(app, args); code >= 0) return code;
  const bool is_archive = is_nn_archive_name(file);
  if (shaves > 0) {
    const std::vector<uint8_t> blob = blob_for(is_archive ? read_nn_archive(file).model : load_file(file), shaves);
    if (!extracted.empty()) save_file(extracted, {reinterpret_cast<const char*>(blob.data()), blob.size()});
    print_blob(blob, json);
  } else if (is_archive) {
    print_archive(read_nn_archive(file), json);
  } else if (file.ends_with(".superblob")) {
    print_superblob(Superblob::read(load_file(file)), json);
  } else {
    const BlobInfo blob = inspect(file);
    std::fputs((json ? blob.json() : blob.text()).c_str(), stdout);
  }
  return kDone;
}

}  // namespace blobsmith::cli
