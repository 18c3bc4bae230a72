// convert --cut-unsupported: a blob of what can be compiled, models of the rest: ONNX or OpenVINO IR.
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

/// "m.blob", "after" -> "m.after.onnx"; empty where there is no such part.
std::string beside(const std::string& blob, const char* name, const ModelPart& part) {
  if (part.empty()) return {};
  std::filesystem::path p(blob);
  return p.replace_extension(std::string(name) + (part.is_ir ? ".xml" : ".onnx")).string();
}

std::string_view text_of(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void save_part(const std::string& path, const ModelPart& part) {
  if (part.empty()) return;
  if (part.is_ir) save_file(std::filesystem::path(path).replace_extension(".bin").string(), text_of(part.weights));
  save_file(path, text_of(part.model));
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
  CutFiles files{beside(blob, "before", r.before), beside(blob, "after", r.after)};
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
  if (!r.ends_at.empty())
    std::printf(
        "for the host, after the blob: the model itself, from \"%s\" on, in the framework that it is from "
        "(pictures and their features leave the blob as N, C, H, W)\n",
        r.ends_at.c_str());
  print_passed("out", r.from_chip);
}

nlohmann::ordered_json json_of_cut(const CutResult& r, const CutFiles& files) {
  Json j{{"before", files.before}, {"after", files.after}, {"ends_at", r.ends_at}, {"refused", Json::array()}};
  for (const Error& e : r.refused) j["refused"].push_back(reports::of_error(e));
  j["to_chip"] = json_of(r.to_chip);
  j["from_chip"] = json_of(r.from_chip);
  return j;
}

}  // namespace blobsmith::cli
