// convert --cut-unsupported: a blob of what can be compiled, ONNX models of the rest.
#include "cli/cut_command.hpp"

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "blobsmith/cut.hpp"
#include "blobsmith/files.hpp"
#include "cli/cli.hpp"
#include "reports/json.hpp"

namespace blobsmith::cli {
namespace {

using reports::Json;

/// "m.blob", "after" -> "m.after.onnx"
std::string beside(const std::string& blob, const char* part) {
  std::filesystem::path p(blob);
  return p.replace_extension(std::string(part) + ".onnx").string();
}

void save_part(const std::string& path, const std::vector<uint8_t>& onnx) {
  if (!onnx.empty()) save_file(path, {reinterpret_cast<const char*>(onnx.data()), onnx.size()});
}

void print_passed(const char* direction, const std::vector<PassedTensor>& list) {
  for (const PassedTensor& t : list) {
    const std::string type(to_string(t.type));
    std::printf("%s: \"%s\" %s of the blob (%s) is \"%s\" of the host\n", direction, t.blob_name.c_str(),
                shape_text(t.shape).c_str(), type.c_str(), t.name.c_str());
  }
}

Json json_of(const std::vector<PassedTensor>& list) {
  Json j = Json::array();
  for (const PassedTensor& t : list)
    j.push_back({{"name", t.name}, {"blob_name", t.blob_name}, {"type", to_string(t.type)}, {"shape", t.shape}});
  return j;
}

}  // namespace

CutFiles write_cut(const CutResult& r, const std::string& blob) {
  CutFiles files{r.before.empty() ? "" : beside(blob, "before"), r.after.empty() ? "" : beside(blob, "after")};
  r.blob.blob.save(blob);
  save_part(files.before, r.before);
  save_part(files.after, r.after);
  return files;
}

void print_cut(const CutResult& r, const CutFiles& files) {
  for (const Error& e : r.refused) std::printf("not in the blob: %s\n", e.what());
  if (!files.before.empty()) std::printf("for the host, before the blob: %s\n", files.before.c_str());
  print_passed("in", r.to_chip);
  if (!files.after.empty()) std::printf("for the host, after the blob: %s\n", files.after.c_str());
  print_passed("out", r.from_chip);
}

nlohmann::ordered_json json_of_cut(const CutResult& r, const CutFiles& files) {
  Json j{{"before", files.before}, {"after", files.after}, {"refused", Json::array()}};
  for (const Error& e : r.refused) j["refused"].push_back(reports::of_error(e));
  j["to_chip"] = json_of(r.to_chip);
  j["from_chip"] = json_of(r.from_chip);
  return j;
}

}  // namespace blobsmith::cli
