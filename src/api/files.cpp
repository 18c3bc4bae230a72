#include "blobsmith/files.hpp"

#include "api/model.hpp"
#include "core/file.hpp"
#include "files/npz.hpp"

namespace blobsmith {
namespace {

FloatTensor to_floats(const std::string& name, const NpyArray& array) {
  FloatTensor t{name, array.shape, std::vector<float>(static_cast<size_t>(array.count()))};
  for (size_t i = 0; i < t.values.size(); ++i) t.values[i] = array.number(static_cast<int64_t>(i));
  return t;
}

}  // namespace

std::vector<uint8_t> load_file(const std::string& path, uint64_t most) {
  const Bytes bytes = read_file(path, most);
  return {bytes.span().begin(), bytes.span().end()};
}

void save_file(const std::string& path, std::string_view contents) {
  write_file(path, std::span(reinterpret_cast<const uint8_t*>(contents.data()), contents.size()));
}

std::vector<FloatTensor> load_arrays(const std::string& path) {
  return api::in_file(path, [&] {
    const Bytes file = read_file(path);
    std::vector<FloatTensor> list;
    if (!looks_like_npz(file)) {
      list.push_back(to_floats("", read_npy(file)));
    } else {
      for (const auto& [name, array] : read_npz(file)) list.push_back(to_floats(name, array));
    }
    return list;
  });
}

void save_npy(const std::string& path, const Shape& shape, const ValueSource& values) {
  write_file(path, [&](const auto& write) {
    write(npy_header(shape));
    values([&](std::span<const float> part) {
      write({reinterpret_cast<const uint8_t*>(part.data()), part.size_bytes()});
    });
  });
}

}  // namespace blobsmith
