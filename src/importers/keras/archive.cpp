#include "importers/keras/archive.hpp"

#include <zip.h>

namespace blobsmith::keras_file {

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
  const std::shared_ptr<zip_file_t> opened(zip_fopen(zip, name.c_str(), 0), [](zip_file_t* f) {
    if (f) zip_fclose(f);
  });
  std::vector<uint8_t> bytes(stat.size);
  if (!opened || zip_fread(opened.get(), bytes.data(), bytes.size()) != static_cast<zip_int64_t>(bytes.size()))
    throw Error(ErrorCode::FileCorrupt, "'" + name + "' of the archive can't be read");
  return Bytes::adopt(std::move(bytes));
}

}  // namespace blobsmith::keras_file
