#include "archives/reader.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <array>

namespace blobsmith {
namespace {

archive* native(const std::shared_ptr<void>& a) { return static_cast<archive*>(a.get()); }

[[noreturn]] void too_large(const std::string& path) {
  throw Error(ErrorCode::FileTooLarge, "the archive unpacks to more than blobsmith takes").in_file(path);
}

}  // namespace

ArchiveReader::ArchiveReader(std::string path, std::span<const uint8_t> file, ErrorCode code, uint64_t most)
    : path_(std::move(path)),
      code_(code),
      left_(most),
      archive_(archive_read_new(), [](void* a) { archive_read_free(static_cast<archive*>(a)); }) {
  archive* a = native(archive_);
  archive_read_support_filter_gzip(a);
  archive_read_support_filter_bzip2(a);
  archive_read_support_filter_xz(a);
  archive_read_support_format_tar(a);
  archive_read_support_format_zip(a);
  if (archive_read_open_memory(a, file.data(), file.size()) != ARCHIVE_OK) fail();
}

/// libarchive would unpack a compressed tar for it as long as that takes.
void ArchiveReader::pass_over() {
  constexpr uint64_t kMost = uint64_t{1} << 32;
  archive* a = native(archive_);
  if (!unread_ || archive_filter_count(a) < 2) return;
  const void* block = nullptr;
  size_t size = 0;
  la_int64_t at = 0;
  while (archive_read_data_block(a, &block, &size, &at) == ARCHIVE_OK)
    if ((passed_over_ += size) > kMost) too_large(path_);
}

std::optional<std::string> ArchiveReader::next() {
  pass_over();
  unread_ = true;
  for (;;) {
    archive_entry* entry = nullptr;
    const int state = archive_read_next_header(native(archive_), &entry);
    if (state == ARCHIVE_EOF) return std::nullopt;
    if (state < ARCHIVE_WARN) fail();
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    const char* name = archive_entry_pathname(entry);
    return name ? name : "";
  }
}

std::vector<uint8_t> ArchiveReader::contents() {
  unread_ = false;
  std::vector<uint8_t> all;
  std::array<uint8_t, 1 << 16> part{};
  for (;;) {
    const la_ssize_t count = archive_read_data(native(archive_), part.data(), part.size());
    if (count < 0) fail();
    if (count == 0) return all;
    if (static_cast<uint64_t>(count) > left_) too_large(path_);
    left_ -= static_cast<uint64_t>(count);
    all.insert(all.end(), part.begin(), part.begin() + count);
  }
}

void ArchiveReader::fail() {
  const char* why = archive_error_string(native(archive_));
  throw Error(code_, "the archive can't be read").because(why ? why : "it is damaged").in_file(path_);
}

}  // namespace blobsmith
