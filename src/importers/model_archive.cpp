#include "importers/model_archive.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "archives/reader.hpp"
#include "importers/common/model_files.hpp"

namespace blobsmith::importers {
namespace {

/// Weights hardly shrink; what grows more than this is no model.
constexpr uint64_t kMostBytes = uint64_t{1} << 32, kAlwaysTaken = uint64_t{64} << 20, kMostExpansion = 200;
constexpr size_t kMostFiles = 10000;

std::string_view folder_of(std::string_view name) { return name.substr(0, name.rfind('/') + 1); }

/// What systems add by themselves.
bool is_noise(std::string_view name) {
  return name.starts_with("__MACOSX/") || name.substr(folder_of(name).size()).starts_with("._");
}

struct Found {
  std::string name;
  Candidate as;
};

/// The one of the best rank, where all are of one format.
std::string chosen(std::vector<Found> all, const std::string& path) {
  if (all.empty())
    throw Error(ErrorCode::UnknownFormat, path + " holds no model")
        .in_file(path)
        .hint("an archive has the model's files in it: a SavedModel's folder, .xml and .bin, .onnx, .pb, .h5 ...");
  if (std::ranges::any_of(all, [](const Found& f) { return f.as.names_the_folder; }))
    std::erase_if(all, [](const Found& f) { return !f.as.names_the_folder; });
  std::ranges::stable_sort(all, {}, [](const Found& f) { return f.as.rank; });
  const auto rival = std::ranges::find_if(all.begin() + 1, all.end(), [&](const Found& f) {
    return f.as.format != all[0].as.format || f.as.rank == all[0].as.rank;
  });
  if (rival != all.end())
    throw Error(ErrorCode::UnknownFormat, path + " holds several models: " + all[0].name + ", " + rival->name)
        .in_file(path)
        .hint("unpack it and give one of them");
  return all[0].name;
}

}  // namespace

bool is_archive_name(std::string_view path) {
  constexpr std::array<std::string_view, 6> kEndings{".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"};
  return std::ranges::any_of(kEndings, [&](std::string_view e) { return path.ends_with(e); });
}

ModelFile model_in_archive(const ModelFile& file, const CandidateOf& candidate_of) {
  const Bytes bytes = contents_of(file);
  const uint64_t most = std::min(kMostBytes, kAlwaysTaken + kMostExpansion * bytes.size());
  std::vector<Found> candidates;
  ArchiveReader names(file.path(), bytes.span(), ErrorCode::FileCorrupt, most);
  size_t files = 0;
  while (const auto name = names.next()) {
    if (++files > kMostFiles)
      throw Error(ErrorCode::FileTooLarge, "the archive has too many files").in_file(file.path());
    if (const Candidate c = candidate_of(*name); c.format >= 0 && !is_noise(*name)) candidates.push_back({*name, c});
  }
  const std::string model = chosen(std::move(candidates), file.path());
  const std::string folder(folder_of(model));
  ModelFile::Contents contents;
  std::map<std::string, ModelFile::Contents> beside;
  ArchiveReader again(file.path(), bytes.span(), ErrorCode::FileCorrupt, most);
  while (const auto name = again.next()) {
    if (*name == model)
      contents = again.contents();
    else if (name->starts_with(folder) && !is_noise(*name))
      beside[name->substr(folder.size())] = again.contents();
  }
  return {model, std::move(contents), std::move(beside)};
}

}  // namespace blobsmith::importers
