// The bytes of a model's file, and of those beside it, from disk or from memory.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "blobsmith/model_file.hpp"
#include "core/bytes.hpp"

namespace blobsmith::importers {

/// Throws FileNotFound in the words of Intel's tools, FileNotReadable or FileTooLarge.
Bytes contents_of(const ModelFile& file);
/// Of a file in the same folder, by its name; nothing where there is none.
std::optional<Bytes> contents_beside(const ModelFile& file, const std::string& name);
/// For libraries that read by path: a model in memory, and what is beside it, become temporary files, for as long
/// as this lives.
class OnDisk {
 public:
  /// Throws FileNotWritable.
  explicit OnDisk(const ModelFile& file);
  ~OnDisk();
  OnDisk(const OnDisk&) = delete;
  OnDisk& operator=(const OnDisk&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_, folder_;  ///< folder_: to be removed; empty: the model is on disk
};

/// "model.bin" of "dir/model.xml".
std::string name_with_ending(const ModelFile& file, const std::string& ending);

/// Gives the bytes of a file beside the model; empty: there are no such files. Throws FileNotFound.
using FilesBeside = std::function<Bytes(const std::string& name)>;
FilesBeside files_beside(const ModelFile& file);

}  // namespace blobsmith::importers
