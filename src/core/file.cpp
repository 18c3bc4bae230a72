#include "core/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace blobsmith {
namespace {

Error file_error(ErrorCode code, const std::string& what, const std::string& path) {
  Error e(code, what + ": " + path);
  e.in_file(path);
  if (errno) e.because(std::strerror(errno));
  return e;
}

struct FileDescriptor {
  int fd;
  ~FileDescriptor() {
    if (fd >= 0) close(fd);
  }
};

/// A file that appears under its name only when it is complete. A link stays one, to the new file; what is no file at
/// all
/// (/dev/null, /dev/stdout, a pipe) is written to as it is.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : path_(path), target_(path) {
    std::error_code ec;
    const std::filesystem::file_status there = std::filesystem::status(path, ec);
    errno = 0;
    if (std::filesystem::exists(there) && !std::filesystem::is_regular_file(there)) {
      file_.fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
      if (file_.fd < 0) throw error();
      return;
    }
    if (const auto real = std::filesystem::canonical(path, ec); !ec) target_ = real.string();
    make_temporary();
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }

  void write(std::span<const uint8_t> data) {
    while (!data.empty()) {
      const ssize_t n = ::write(file_.fd, data.data(), data.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) throw error();
      data = data.subspan(static_cast<size_t>(n));
    }
  }
  void commit() {
    if (temporary_.empty()) return;
    if (rename(temporary_.c_str(), target_.c_str()) != 0) throw error();
    temporary_.clear();
  }

 private:
  Error error() const { return file_error(ErrorCode::FileNotWritable, "file cannot be written", path_); }

  /// Beside the target, with the permissions that the user's umask leaves.
  void make_temporary() {
    static std::atomic<unsigned> count{0};
    constexpr mode_t kAll = 0666;
    do {
      const std::string name = target_ + "." + std::to_string(getpid()) + "-" + std::to_string(++count);
      errno = 0;
      file_.fd = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kAll);
      if (file_.fd >= 0) temporary_ = name;
    } while (file_.fd < 0 && errno == EEXIST);
    if (file_.fd < 0) throw error();
  }

  std::string path_, target_, temporary_;
  FileDescriptor file_{-1};
};

}  // namespace

Bytes read_file(const std::string& path, uint64_t max_size) {
  errno = 0;
  FileDescriptor f{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (f.fd < 0)
    throw file_error(errno == ENOENT ? ErrorCode::FileNotFound : ErrorCode::FileNotReadable, "file cannot be opened",
                     path);
  struct stat st{};
  if (fstat(f.fd, &st) != 0) throw file_error(ErrorCode::FileNotReadable, "file cannot be read", path);
  errno = 0;
  if (!S_ISREG(st.st_mode)) throw file_error(ErrorCode::FileNotReadable, "not a regular file", path);
  const auto size = static_cast<uint64_t>(st.st_size);
  if (size > max_size)
    throw file_error(ErrorCode::FileTooLarge,
                     "file of " + std::to_string(size) + " bytes is larger than " + std::to_string(max_size), path);
  if (size == 0) return {};
  void* p = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, f.fd, 0);
  if (p == MAP_FAILED) throw file_error(ErrorCode::FileNotReadable, "file cannot be mapped", path);
  std::shared_ptr<const void> owner(p, [size](const void* q) { munmap(const_cast<void*>(q), size); });
  return Bytes(std::move(owner), static_cast<const uint8_t*>(p), size, true);
}

bool file_exists(const std::string& path) {
  std::error_code ec;
  return std::filesystem::is_regular_file(path, ec);
}

void write_file(const std::string& path, std::span<const uint8_t> data) {
  NewFile file(path);
  file.write(data);
  file.commit();
}

void write_file(const std::string& path, const ChunkedBytes& data) {
  NewFile file(path);
  for (const Bytes& part : data.parts()) file.write(part.span());
  file.commit();
}

void write_file(const std::string& path, const std::string& text) {
  write_file(path, std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

void write_file(const std::string& path,
                const std::function<void(const std::function<void(std::span<const uint8_t>)>&)>& produce) {
  NewFile file(path);
  produce([&](std::span<const uint8_t> part) { file.write(part); });
  file.commit();
}

void make_folder(const std::string& path) {
  std::error_code ec;
  std::filesystem::create_directories(path, ec);
  errno = ec.value();
  if (ec) throw file_error(ErrorCode::FileNotWritable, "folder cannot be created", path);
}

}  // namespace blobsmith
