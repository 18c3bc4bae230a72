#include "importers/model_archive.hpp"

#include <algorithm>
#include <array>
#include <optional>
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

class Choice {
 public:
  explicit Choice(const CandidateOf& candidate_of) : candidate_of_(candidate_of) {}
  void offer(const std::string& name) {
    const Candidate c = candidate_of_(name);
    if (c.format < 0 || is_noise(name)) return;
    if (!best_ || c.rank < rank_) {
      others_ = best_ && c.format == format_ ? std::vector<std::string>{} : others_;
      if (best_ && c.format != format_) others_.push_back(*best_);
      best_ = name;
      rank_ = c.rank;
      format_ = c.format;
    } else if (c.format != format_ || c.rank == rank_) {
      others_.push_back(name);
    }
  }
  std::string chosen(const std::string& path) const {
    if (!best_)
      throw Error(ErrorCode::UnknownFormat, path + " holds no model")
          .in_file(path)
          .hint("an archive has the model's files in it: a SavedModel's folder, .xml and .bin, .onnx, .pb, .h5 ...");
    if (!others_.empty())
      throw Error(ErrorCode::UnknownFormat, path + " holds several models: " + *best_ + ", " + others_[0])
          .in_file(path)
          .hint("unpack it and give one of them");
    return *best_;
  }

 private:
  const CandidateOf& candidate_of_;
  std::optional<std::string> best_;
  std::vector<std::string> others_;
  int rank_ = 0, format_ = -1;
};

}  // namespace

bool is_archive_name(std::string_view path) {
  constexpr std::array<std::string_view, 6> kEndings{".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"};
  return std::ranges::any_of(kEndings, [&](std::string_view e) { return path.ends_with(e); });
}

ModelFile model_in_archive(const ModelFile& file, const CandidateOf& candidate_of) {
  const Bytes bytes = contents_of(file);
  const uint64_t most = std::min(kMostBytes, kAlwaysTaken + kMostExpansion * bytes.size());
  Choice choice(candidate_of);
  ArchiveReader names(file.path(), bytes.span(), ErrorCode::FileCorrupt, most);
  size_t files = 0;
  while (const auto name = names.next()) {
    if (++files > kMostFiles) throw Error(ErrorCode::FileTooLarge, "the archive has too many files").in_file(file.path());
    choice.offer(*name);
  }
  const std::string model = choice.chosen(file.path());
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
