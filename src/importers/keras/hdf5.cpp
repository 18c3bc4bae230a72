#include "importers/keras/hdf5.hpp"

#include <hdf5.h>

#include <algorithm>
#include <mutex>

#include "core/file.hpp"
#include "importers/common/tensor_bytes.hpp"
#include "importers/keras/hdf5_names.hpp"

namespace blobsmith::keras_file {
namespace {

/// A handle of the library, closed with its scope.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }
  bool ok() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// The library is for one thread at a time where it is an archive, whatever file it reads.
std::unique_lock<std::mutex> alone() {
  static std::mutex mutex;
  return std::unique_lock(mutex);
}

void be_silent() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

std::shared_ptr<const int64_t> owned(hid_t id) {
  return {new int64_t(id), [](const int64_t* p) {
            const auto lock = alone();
            H5Fclose(static_cast<hid_t>(*p));
            delete p;
          }};
}

Error not_hdf5() { return Error(ErrorCode::FileCorrupt, "the file is not an HDF5 file, or it is cut off"); }
Error unreadable(const std::string& path) {
  return Error(ErrorCode::FileCorrupt, "'" + path + "' of the HDF5 file can't be read");
}

constexpr size_t kLargestText = size_t{1} << 28;
constexpr hsize_t kMostTexts = hsize_t{1} << 20;

/// The texts of an attribute, of fixed or of variable length.
std::vector<std::string> read_texts(hid_t attribute, const std::string& where) {
  const Handle type(H5Aget_type(attribute), H5Tclose), space(H5Aget_space(attribute), H5Sclose);
  const hssize_t count = H5Sget_simple_extent_npoints(space);
  if (!type.ok() || count < 0 || static_cast<hsize_t>(count) > kMostTexts) throw unreadable(where);
  if (count == 0 || H5Tget_class(type) != H5T_STRING) return {};
  std::vector<std::string> texts;
  if (H5Tis_variable_str(type) > 0) {
    std::vector<char*> list(static_cast<size_t>(count), nullptr);
    const Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(memory, H5T_VARIABLE);
    H5Tset_cset(memory, H5Tget_cset(type));
    const bool is_read = H5Aread(attribute, memory, list.data()) >= 0;
    for (const char* t : list) texts.emplace_back(t ? t : "");
    H5Dvlen_reclaim(memory, space, H5P_DEFAULT, list.data());  // of those that came before what is damaged, too
    if (!is_read) throw unreadable(where);
    return texts;
  }
  const size_t size = H5Tget_size(type);
  if (size == 0 || size > kLargestText / static_cast<size_t>(count)) throw unreadable(where);
  std::string all(size * static_cast<size_t>(count), '\0');
  if (H5Aread(attribute, type, all.data()) < 0) throw unreadable(where);
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
    std::string one = all.substr(i * size, size);
    texts.push_back(one.substr(0, one.find('\0')));
  }
  return texts;
}

std::optional<std::vector<std::string>> attribute_texts(hid_t file, const std::string& group, const std::string& name) {
  const Handle object(H5Oopen(file, group.c_str(), H5P_DEFAULT), H5Oclose);
  if (!object.ok() || H5Aexists(object, name.c_str()) <= 0) return std::nullopt;
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose);
  if (!attribute.ok()) throw unreadable(group + "/" + name);
  return read_texts(attribute, group + "/" + name);
}

/// What the library does with a file's contents in memory: it copies them as it pleases, so copies are the contents
/// themselves, which are only read.
void hand_over(hid_t access, const Bytes& contents) {
  H5FD_file_image_callbacks_t same{};
  same.image_malloc = [](size_t, H5FD_file_image_op_t, void* image) { return image; };
  same.image_memcpy = [](void* to, const void*, size_t, H5FD_file_image_op_t, void*) { return to; };
  same.image_realloc = [](void*, size_t, H5FD_file_image_op_t, void*) -> void* { return nullptr; };
  same.image_free = [](void*, H5FD_file_image_op_t, void*) -> herr_t { return 0; };
  same.udata_copy = [](void* image) { return image; };
  same.udata_free = [](void*) -> herr_t { return 0; };
  auto* image = const_cast<uint8_t*>(contents.data());
  same.udata = image;
  constexpr size_t kIncrement = 1 << 16;
  if (H5Pset_fapl_core(access, kIncrement, false) < 0 || H5Pset_file_image_callbacks(access, &same) < 0 ||
      H5Pset_file_image(access, image, contents.size()) < 0)
    throw not_hdf5();
}

/// The values of a dataset where they lie in the file as they are in memory; nothing where they don't.
std::optional<Bytes> in_place(hid_t data, hid_t type, const Bytes& contents, size_t size) {
  const Handle how(H5Dget_create_plist(data), H5Pclose);
  if (!how.ok() || H5Pget_layout(how) != H5D_CONTIGUOUS || H5Pget_external_count(how) != 0) return std::nullopt;
  if (H5Tequal(type, H5T_NATIVE_FLOAT) <= 0 || H5Dget_storage_size(data) != size) return std::nullopt;
  const haddr_t begin = H5Dget_offset(data);
  if (begin == HADDR_UNDEF || begin > contents.size() || size > contents.size() - begin) return std::nullopt;
  const Bytes part = contents.slice(begin, size);
  if (reinterpret_cast<uintptr_t>(part.data()) % alignof(float) == 0) return part;
  return Bytes::deferred_if_many(size, [part] {
    Bytes copy = Bytes::copy_of(part.span());
    part.leave_memory();
    return copy;
  });
}

}  // namespace

Hdf5::Hdf5(const std::string& path) : contents_(read_file(path)) {
  check_names_of_groups(contents_.span());
  contents_.leave_memory();
  const auto lock = alone();
  be_silent();
  const hid_t id = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (id < 0) throw not_hdf5();
  file_ = owned(id);
}

Hdf5::Hdf5(const Bytes& file) : contents_(file) {
  check_names_of_groups(contents_.span());
  contents_.leave_memory();
  const auto lock = alone();
  be_silent();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  hand_over(access, contents_);
  const hid_t id = H5Fopen("weights.h5", H5F_ACC_RDONLY, access);
  if (id < 0) throw not_hdf5();
  file_ = owned(id);
}

bool Hdf5::has(const std::string& path) const {
  const auto lock = alone();
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (part.empty() || H5Lexists(*file_, part.c_str(), H5P_DEFAULT) <= 0) return false;
    if (slash == std::string::npos) return true;
  }
}

std::optional<std::string> Hdf5::text(const std::string& group, const std::string& attribute) const {
  const auto lock = alone();
  const auto list = attribute_texts(*file_, group, attribute);
  return list && !list->empty() ? std::optional(list->front()) : std::nullopt;
}

std::vector<std::string> Hdf5::texts(const std::string& group, const std::string& attribute) const {
  const auto lock = alone();
  if (auto list = attribute_texts(*file_, group, attribute)) return *std::move(list);
  std::vector<std::string> all;
  for (int i = 0; auto list = attribute_texts(*file_, group, attribute + std::to_string(i)); ++i)
    all.insert(all.end(), list->begin(), list->end());
  return all;
}

std::vector<std::string> Hdf5::children(const std::string& group) const {
  const auto lock = alone();
  const Handle object(H5Gopen2(*file_, group.c_str(), H5P_DEFAULT), H5Gclose);
  std::vector<std::string> names;
  if (!object.ok()) return names;
  const auto add = [](hid_t, const char* name, const H5L_info_t*, void* list) -> herr_t {
    static_cast<std::vector<std::string>*>(list)->emplace_back(name);
    return 0;
  };
  hsize_t at = 0;
  if (H5Literate(object, H5_INDEX_NAME, H5_ITER_INC, &at, add, &names) < 0) throw unreadable(group);
  return names;
}

bool Hdf5::is_dataset(const std::string& path) const {
  const auto lock = alone();
  const Handle object(H5Oopen(*file_, path.c_str(), H5P_DEFAULT), H5Oclose);
  return object.ok() && H5Iget_type(object) == H5I_DATASET;
}

Tensor Hdf5::dataset(const std::string& path) const {
  const auto lock = alone();
  constexpr int kLargestRank = 32;
  constexpr uint64_t kLargestBytes = uint64_t{1} << 32;
  const Handle data(H5Dopen2(*file_, path.c_str(), H5P_DEFAULT), H5Dclose);
  if (!data.ok()) throw unreadable(path);
  const Handle space(H5Dget_space(data), H5Sclose), type(H5Dget_type(data), H5Tclose);
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank < 0 || rank > kLargestRank || !type.ok()) throw unreadable(path);
  std::vector<hsize_t> dims(static_cast<size_t>(rank) + 1);
  if (H5Sget_simple_extent_dims(space, dims.data(), nullptr) < 0) throw unreadable(path);
  Shape shape;
  for (int i = 0; i < rank; ++i)
    shape.push_back(static_cast<int64_t>(std::min<hsize_t>(dims[static_cast<size_t>(i)], INT64_MAX)));
  const H5T_class_t kind = H5Tget_class(type);
  if (kind != H5T_FLOAT && kind != H5T_INTEGER)
    throw Error(ErrorCode::TypeMismatch, "'" + path + "' of the HDF5 file does not hold numbers");
  const ElementType element = kind == H5T_FLOAT ? ElementType::f32 : ElementType::i64;
  const uint64_t bytes = importers::bytes_of(element, shape, "'" + path + "'");
  // What the file says of a size is believed only where it holds the values.
  if (bytes > kLargestBytes || (bytes != 0 && H5Dget_storage_size(data) == 0)) throw unreadable(path);
  if (auto values = in_place(data, type, contents_, bytes)) return {element, shape, *std::move(values)};
  std::vector<uint8_t> values(bytes);
  if (bytes != 0 && H5Dread(data, kind == H5T_FLOAT ? H5T_NATIVE_FLOAT : H5T_NATIVE_INT64, H5S_ALL, H5S_ALL,
                            H5P_DEFAULT, values.data()) < 0)
    throw unreadable(path);
  return {element, shape, Bytes::adopt(std::move(values))};
}

}  // namespace blobsmith::keras_file
