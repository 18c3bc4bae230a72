#include "files/npz.hpp"

#include <zip.h>

#include <cstring>
#include <memory>
#include <string_view>

#include "core/error.hpp"

namespace blobsmith {
namespace {

constexpr int64_t kMaxArrays = 1 << 16;
constexpr size_t kMaxBytes = size_t{1} << 30;  // of all arrays: a small archive may claim, and hold, very much

Error bad_npz(const std::string& what) { return Error(ErrorCode::BadTensorFile, "not a valid .npz file: " + what); }

using Archive = std::unique_ptr<zip_t, decltype(&zip_discard)>;

Archive open(const Bytes& file) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(file.data(), file.size(), 0, &error);
  zip_t* archive = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  const std::string why = archive ? "" : zip_error_strerror(&error);
  if (source && !archive) zip_source_free(source);
  zip_error_fini(&error);
  if (!archive) throw bad_npz(why);
  return {archive, &zip_discard};
}

std::vector<uint8_t> read_entry(zip_t* archive, zip_uint64_t index, size_t most) {
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> entry(zip_fopen_index(archive, index, 0), &zip_fclose);
  if (!entry) throw bad_npz(zip_strerror(archive));
  std::vector<uint8_t> data;
  std::vector<uint8_t> part(size_t{1} << 16);
  for (;;) {
    const zip_int64_t n = zip_fread(entry.get(), part.data(), part.size());
    if (n < 0) throw bad_npz(zip_file_strerror(entry.get()));
    if (n == 0) return data;
    if (data.size() + static_cast<size_t>(n) > most) throw bad_npz("its arrays are too large");
    data.insert(data.end(), part.begin(), part.begin() + n);
  }
}

}  // namespace

bool looks_like_npz(const Bytes& file) {
  return file.size() >= 4 && (std::memcmp(file.data(), "PK\3\4", 4) == 0 || std::memcmp(file.data(), "PK\5\6", 4) == 0);
}

std::vector<std::pair<std::string, NpyArray>> read_npz(const Bytes& file) {
  if (!looks_like_npz(file)) throw bad_npz("it does not begin with PK");
  const Archive archive = open(file);
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  if (count > kMaxArrays) throw bad_npz("it has " + std::to_string(count) + " entries");
  std::vector<std::pair<std::string, NpyArray>> arrays;
  size_t left = kMaxBytes;
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    const char* stored_name = zip_get_name(archive.get(), index, ZIP_FL_ENC_RAW);
    if (!stored_name) throw bad_npz(zip_strerror(archive.get()));
    std::string name = stored_name;
    constexpr std::string_view kSuffix = ".npy";
    if (!name.ends_with(kSuffix)) throw bad_npz("it holds \"" + name + "\", which is no .npy file");
    name.resize(name.size() - kSuffix.size());
    std::vector<uint8_t> data = read_entry(archive.get(), index, left);
    left -= data.size();
    arrays.emplace_back(std::move(name), read_npy(Bytes::adopt(std::move(data))));
  }
  return arrays;
}

}  // namespace blobsmith
