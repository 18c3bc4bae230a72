// Files in ZIP and tar archives, one after another. All that reads through libarchive is behind this header.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace blobsmith {

class ArchiveReader {
 public:
  /// `file`: has to outlive this. `path`: for errors. `code`: of what a damaged archive throws. `most`: bytes that may
  /// be unpacked, after which FileTooLarge is thrown.
  ArchiveReader(std::string path, std::span<const uint8_t> file, ErrorCode code, uint64_t most);
  /// The next file's name, folders and all; nothing at the end.
  std::optional<std::string> next();
  std::vector<uint8_t> contents();

 private:
  [[noreturn]] void fail();
  void pass_over();
  std::string path_;
  ErrorCode code_;
  uint64_t left_, passed_over_ = 0;
  bool unread_ = false;  ///< the contents of the file that next() named last
  std::shared_ptr<void> archive_;
};

}  // namespace blobsmith
