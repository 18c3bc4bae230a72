#include "importers/keras/archive.hpp"

#include <zip.h>

#include <algorithm>
#include <string_view>

namespace blobsmith::keras_file {
namespace {

/// Where a file that lies in an archive as it is begins, by the archive's directory; nothing where that is not simple:
/// several disks, more than 4 GB, a directory that does not say.
std::optional<size_t> place_of(const Bytes& archive, std::string_view name, uint64_t size) {
  constexpr size_t kEnd = 22, kEntry = 46, kHeader = 30, kLongestComment = 0xffff;
  constexpr uint32_t kEndMark = 0x06054b50, kEntryMark = 0x02014b50, kHeaderMark = 0x04034b50;
  const auto number = [&](size_t at, size_t width) {
    uint64_t v = 0;
    for (size_t i = width; i-- > 0;) v = v << 8 | archive.data()[at + i];
    return v;
  };
  const auto fits = [&](uint64_t at, uint64_t length) { return at <= archive.size() && length <= archive.size() - at; };
  if (archive.size() < kEnd) return std::nullopt;
  size_t end = archive.size() - kEnd;
  const size_t first = end - std::min(end, kLongestComment);
  while (end > first && number(end, 4) != kEndMark) --end;
  if (number(end, 4) != kEndMark) return std::nullopt;
  uint64_t at = number(end + 16, 4);
  for (uint64_t left = number(end + 10, 2); left > 0 && fits(at, kEntry) && number(at, 4) == kEntryMark; --left) {
    const uint64_t length = number(at + 28, 2), header = number(at + 42, 4);
    if (!fits(at + kEntry, length)) return std::nullopt;
    const std::string_view here(reinterpret_cast<const char*>(archive.data()) + at + kEntry, length);
    if (here == name) {
      if (!fits(header, kHeader) || number(header, 4) != kHeaderMark) return std::nullopt;
      const uint64_t begin = header + kHeader + number(header + 26, 2) + number(header + 28, 2);
      return fits(begin, size) ? std::optional<size_t>(begin) : std::nullopt;
    }
    at += kEntry + length + number(at + 30, 2) + number(at + 32, 2);
  }
  return std::nullopt;
}

}  // namespace

Archive::Archive(Bytes file) : file_(std::move(file)) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(file_.data(), file_.size(), 0, &error);
  zip_t* zip = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  if (!zip) {
    const std::string why = zip_error_strerror(&error);
    if (source) zip_source_free(source);
    zip_error_fini(&error);
    throw Error(ErrorCode::FileCorrupt, "the file is not a ZIP archive, or it is cut off").because(why);
  }
  zip_error_fini(&error);
  zip_ = {zip, [](void* p) { zip_discard(static_cast<zip_t*>(p)); }};
}

std::optional<Bytes> Archive::find(const std::string& name) const {
  constexpr uint64_t kLargest = uint64_t{1} << 32;
  auto* zip = static_cast<zip_t*>(zip_.get());
  zip_stat_t stat;
  zip_stat_init(&stat);
  if (zip_stat(zip, name.c_str(), 0, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE)) return std::nullopt;
  // A size that no compression of the file's bytes could have.
  constexpr uint64_t kMostExpansion = 1100;
  if (stat.size > kLargest || stat.size / kMostExpansion > file_.size())
    throw Error(ErrorCode::FileTooLarge, "'" + name + "' of the archive is too large");
  if ((stat.valid & ZIP_STAT_COMP_METHOD) && stat.comp_method == ZIP_CM_STORE && stat.encryption_method == ZIP_EM_NONE)
    if (const auto begin = place_of(file_, name, stat.size)) return file_.slice(*begin, stat.size);
  const std::shared_ptr<zip_file_t> opened(zip_fopen(zip, name.c_str(), 0), [](zip_file_t* f) {
    if (f) zip_fclose(f);
  });
  std::vector<uint8_t> bytes(stat.size);
  if (!opened || zip_fread(opened.get(), bytes.data(), bytes.size()) != static_cast<zip_int64_t>(bytes.size()))
    throw Error(ErrorCode::FileCorrupt, "'" + name + "' of the archive can't be read");
  return Bytes::adopt(std::move(bytes));
}

}  // namespace blobsmith::keras_file
