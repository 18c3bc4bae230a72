#include "importers/common/model_files.hpp"

#include <cstdlib>
#include <filesystem>

#include "core/error.hpp"
#include "core/file.hpp"

namespace blobsmith::importers {
namespace {

Bytes shared(const std::shared_ptr<const ModelFile::Memory>& owner, const ModelFile::Contents& c) {
  return Bytes(owner, c.data(), c.size());
}

std::string path_beside(const ModelFile& file, const std::string& name) {
  return (std::filesystem::path(file.path()).parent_path() / name).string();
}

}  // namespace

Bytes contents_of(const ModelFile& file) {
  if (file.memory()) return shared(file.memory(), file.memory()->contents);
  if (!file_exists(file.path()))
    throw Error(ErrorCode::FileNotFound, "Model file " + file.path() + " cannot be opened!").in_file(file.path());
  return read_file(file.path());
}

std::optional<Bytes> contents_beside(const ModelFile& file, const std::string& name) {
  if (file.memory()) {
    const auto it = file.memory()->beside.find(name);
    if (it == file.memory()->beside.end()) return std::nullopt;
    return shared(file.memory(), it->second);
  }
  const std::string path = path_beside(file, name);
  if (!file_exists(path)) return std::nullopt;
  return read_file(path);
}

std::string name_with_ending(const ModelFile& file, const std::string& ending) {
  return std::filesystem::path(file.path()).filename().replace_extension(ending).string();
}

FilesBeside files_beside(const ModelFile& file) {
  return [file](const std::string& name) {
    if (!file.memory()) return read_file(path_beside(file, name));
    const auto bytes = contents_beside(file, name);
    if (!bytes)
      throw Error(ErrorCode::FileNotFound, "the model needs the file \"" + name + "\", which it was given without")
          .in_file(file.path());
    return *bytes;
  };
}

OnDisk::OnDisk(const ModelFile& file) : path_(file.path()) {
  if (!file.memory()) return;
  std::string folder = (std::filesystem::temp_directory_path() / "blobsmith-XXXXXX").string();
  if (!mkdtemp(folder.data())) throw Error(ErrorCode::FileNotWritable, "no temporary folder can be made: " + folder);
  folder_ = folder;
  const auto put = [&](const std::string& name, const ModelFile::Contents& contents) {
    const std::string path = folder_ + "/" + std::filesystem::path(name).filename().string();
    write_file(path, std::span<const uint8_t>(contents));
    return path;
  };
  path_ = put(file.path(), file.memory()->contents);
  for (const auto& [name, contents] : file.memory()->beside) put(name, contents);
}

OnDisk::~OnDisk() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

}  // namespace blobsmith::importers
