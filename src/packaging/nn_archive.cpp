#include "blobsmith/nn_archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "archives/reader.hpp"
#include "blobsmith/version.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/picture.hpp"

namespace blobsmith {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kConfig = "config.json", kBuildInfo = "buildinfo.json";
constexpr uint64_t kMostConfigBytes = 1 << 22;
constexpr size_t kMostMembers = 1000;

// ---- what is said of the network ----

const char* dtype(TensorType t) {
  switch (t) {
    case TensorType::U8: return "uint8";
    case TensorType::I8: return "int8";
    case TensorType::S32: return "int32";
    case TensorType::FP32: return "float32";
    case TensorType::FP16: break;
  }
  return "float16";
}

/// By rank, in network order; letters that mean nothing where there is no usual name.
std::string layout(size_t rank) {
  constexpr std::array<const char*, 6> kUsual{"", "C", "NC", "CHW", "NCHW", "NCDHW"};
  return rank < kUsual.size() ? kUsual[rank] : std::string("ABDEFGIJKLMOPQ").substr(0, rank);
}

bool is_picture(const BlobPort& p) { return picture_channels(p.shape) == size_t{1}; }

/// depthai's name of the frames that fit an input; empty where it has none.
std::string frame_type(const BlobPort& p) {
  if (!is_picture(p) || p.shape[1] == 4) return {};
  const bool gray = p.shape[1] == 1;
  if (p.type == TensorType::U8) return gray ? "GRAY8" : "BGR888p";
  if (p.type == TensorType::FP16) return gray ? "GRAYF16" : "BGRF16F16F16p";
  return {};
}

Json input_json(const BlobPort& p, const NnArchiveOptions& o) {
  const bool picture = is_picture(p);
  const std::string frames = picture && !o.dai_type.empty() ? o.dai_type : frame_type(p);
  const auto channels = picture ? static_cast<size_t>(p.shape[1]) : 0;
  const auto left_to_do = [&](double nothing) {
    return picture ? Json(std::vector(channels, nothing)) : Json(nullptr);
  };
  return {{"name", p.name},
          {"dtype", dtype(p.type)},
          {"input_type", picture ? "image" : "raw"},
          {"shape", p.shape},
          {"layout", layout(p.shape.size())},
          {"preprocessing",
           {{"mean", left_to_do(0)},
            {"scale", left_to_do(1)},
            {"reverse_channels", false},
            {"interleaved_to_planar", false},
            {"dai_type", frames.empty() ? Json(nullptr) : Json(frames)},
            {"resize_mode", nullptr}}}};
}

Json parsed_heads(const std::string& text) {
  if (text.empty()) return Json::array();
  Json heads = Json::parse(text, nullptr, false);
  const auto good = [](const Json& h) { return h.is_object() && h.contains("parser") && h.contains("metadata"); };
  if (heads.is_array() && std::ranges::all_of(heads, good)) return heads;
  Error e(ErrorCode::BadOptionValue, "the heads of the archive are no JSON array of objects");
  throw e.hint("every head has \"parser\" and \"metadata\", as depthai's NN archives have them");
}

std::string file_stem(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  return name.substr(0, name.find('.', 1));
}

// ---- the archive ----

[[noreturn]] void bad(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::BadBlob, "bad NN archive: " + what).in_file(path);
}

struct Compression {
  std::string_view ending;
  int (*add)(struct archive*);
};
constexpr std::array kCompressions{
    Compression{".tar.xz", archive_write_add_filter_xz}, Compression{".tar.gz", archive_write_add_filter_gzip},
    Compression{".tar.bz2", archive_write_add_filter_bzip2}, Compression{".tar", archive_write_add_filter_none}};

const Compression* compression_of(std::string_view path) {
  const auto it = std::ranges::find_if(kCompressions, [&](const Compression& c) { return path.ends_with(c.ending); });
  return it == kCompressions.end() ? nullptr : it;
}

class Writer {
 public:
  Writer(const Compression& compression, std::vector<uint8_t>& to) : archive_(archive_write_new(), archive_write_free) {
    check(archive_write_set_format_ustar(archive_.get()));
    check(compression.add(archive_.get()));
    // The time of compression would make every file another one.
    if (compression.ending == ".tar.gz") check(archive_write_set_options(archive_.get(), "gzip:!timestamp"));
    check(archive_write_open(archive_.get(), &to, nullptr, &append, nullptr));
  }
  void add(std::string_view name, std::string_view contents) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), std::string(name).c_str());
    archive_entry_set_size(entry.get(), static_cast<int64_t>(contents.size()));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    check(archive_write_header(archive_.get(), entry.get()));
    if (archive_write_data(archive_.get(), contents.data(), contents.size()) < 0) check(ARCHIVE_FATAL);
  }
  void close() { check(archive_write_close(archive_.get())); }

 private:
  static la_ssize_t append(struct archive*, void* to, const void* bytes, size_t count) {
    auto& out = *static_cast<std::vector<uint8_t>*>(to);
    const auto* begin = static_cast<const uint8_t*>(bytes);
    out.insert(out.end(), begin, begin + count);
    return static_cast<la_ssize_t>(count);
  }
  void check(int state) {
    if (state < ARCHIVE_WARN)
      throw Error(ErrorCode::Internal, std::string("archive: ") + archive_error_string(archive_.get()));
  }
  std::unique_ptr<struct archive, decltype(&archive_write_free)> archive_;
};

std::string model_path(const std::string& path, const std::string& config) {
  const Json j = Json::parse(config, nullptr, false);
  const auto at = Json::json_pointer("/model/metadata/path");
  if (j.is_discarded() || !j.contains(at) || !j.at(at).is_string())
    bad(path, "its config.json does not say where the model is");
  return j.at(at).get<std::string>();
}

}  // namespace

bool is_nn_archive_name(std::string_view path) { return compression_of(path) != nullptr; }

std::string nn_archive_config(const std::vector<BlobPort>& inputs, const std::vector<BlobPort>& outputs,
                              const std::string& name, const NnArchiveOptions& o) {
  Json model{
      {"metadata", {{"name", name}, {"path", name + (o.superblob ? ".superblob" : ".blob")}, {"precision", "float16"}}},
      {"inputs", Json::array()},
      {"outputs", Json::array()},
      {"heads", parsed_heads(o.heads)}};
  for (const BlobPort& p : inputs) model["inputs"].push_back(input_json(p, o));
  for (const BlobPort& p : outputs)
    model["outputs"].push_back(
        {{"name", p.name}, {"dtype", dtype(p.type)}, {"shape", p.shape}, {"layout", layout(p.shape.size())}});
  return Json{{"config_version", "1.0"}, {"model", model}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void write_nn_archive(const std::string& path, const std::vector<uint8_t>& model, const std::vector<BlobPort>& inputs,
                      const std::vector<BlobPort>& outputs, const NnArchiveOptions& o) {
  const Compression* compression = compression_of(path);
  if (!compression) {
    Error e(ErrorCode::BadOptionValue, "\"" + path + "\" does not end as an NN archive does");
    throw e.hint(".tar.xz, .tar.gz, .tar.bz2 or .tar");
  }
  const std::string name = o.name.empty() ? file_stem(path) : o.name;
  Json info{{"blobsmith_version", version()}, {"target_devices", {"RVC2"}}, {"is_superblob", o.superblob}};
  for (const auto& [key, value] : o.build_info) info[key] = value;
  std::vector<uint8_t> bytes;
  Writer writer(*compression, bytes);
  writer.add(kConfig, nn_archive_config(inputs, outputs, name, o));
  writer.add(name + (o.superblob ? ".superblob" : ".blob"),
             {reinterpret_cast<const char*>(model.data()), model.size()});
  writer.add(kBuildInfo, info.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  writer.close();
  write_file(path, std::span<const uint8_t>(bytes));
}

NnArchive read_nn_archive(const std::string& path, uint64_t most) {
  const Bytes file = read_file(path);
  NnArchive r;
  {
    ArchiveReader names(path, file.span(), ErrorCode::BadBlob, kMostConfigBytes);
    while (const auto name = names.next()) {
      r.members.push_back(*name);
      if (r.members.size() > kMostMembers) bad(path, "it has more than 1000 files");
      if (*name != kConfig) continue;
      const std::vector<uint8_t> text = names.contents();
      r.config.assign(text.begin(), text.end());
    }
  }
  if (r.config.empty()) bad(path, "there is no config.json at its top");
  r.model_name = model_path(path, r.config);
  ArchiveReader again(path, file.span(), ErrorCode::BadBlob, most);
  while (const auto name = again.next()) {
    if (*name != r.model_name) continue;
    r.model = again.contents();
    return r;
  }
  bad(path, "there is no \"" + r.model_name + "\" in it, which its config.json names");
}

}  // namespace blobsmith
