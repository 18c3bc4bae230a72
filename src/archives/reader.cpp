#include "archives/reader.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <array>

namespace blobsmith {
namespace {

archive* native(const std::shared_ptr<void>& a) { return static_cast<archive*>(a.get()); }

}  // namespace

ArchiveReader::ArchiveReader(std::string path, std::span<const uint8_t> file, ErrorCode code, uint64_t most)
    : path_(std::move(path)), code_(code), left_(most), archive_(archive_read_new(), [](void* a) {
        archive_read_free(static_cast<archive*>(a));
      }) {
  archive* a = native(archive_);
  archive_read_support_filter_gzip(a);
  archive_read_support_filter_bzip2(a);
  archive_read_support_filter_xz(a);
  archive_read_support_format_tar(a);
  archive_read_support_format_zip(a);
  if (archive_read_open_memory(a, file.data(), file.size()) != ARCHIVE_OK) fail();
}

std::optional<std::string> ArchiveReader::next() {
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
  std::vector<uint8_t> all;
  std::array<uint8_t, 1 << 16> part{};
  for (;;) {
    const la_ssize_t count = archive_read_data(native(archive_), part.data(), part.size());
    if (count < 0) fail();
    if (count == 0) return all;
    if (static_cast<uint64_t>(count) > left_) {
      Error e(ErrorCode::FileTooLarge, "the archive unpacks to more than blobsmith takes");
      throw e.in_file(path_);
    }
    left_ -= static_cast<uint64_t>(count);
    all.insert(all.end(), part.begin(), part.begin() + count);
  }
}

void ArchiveReader::fail() {
  const char* why = archive_error_string(native(archive_));
  throw Error(code_, "the archive can't be read").because(why ? why : "it is damaged").in_file(path_);
}

}  // namespace blobsmith
