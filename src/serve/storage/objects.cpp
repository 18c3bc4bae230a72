#include "serve/storage/objects.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

void sync_path(const std::string& path) {
  const int f = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (f < 0 || fsync(f) != 0) {
    const std::error_code e(errno, std::generic_category());
    if (f >= 0) close(f);
    throw std::system_error(e, path);
  }
  close(f);
}

class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, kind, nullptr); }
  ~Digest() { EVP_MD_CTX_free(context_); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void add(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  std::string text() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, bytes.data(), &size);
    std::string s;
    for (unsigned i = 0; i < size; ++i) s += {"0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15]};
    return s;
  }

 private:
  EVP_MD_CTX* context_;
};

std::string digest_of_file(const std::string& path, const EVP_MD* kind) {
  Digest d(kind);
  std::ifstream in(path, std::ios::binary);
  std::string buffer(1 << 18, 0);
  do {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    d.add({buffer.data(), static_cast<size_t>(in.gcount())});
  } while (in);
  return d.text();
}

class Folder : public Objects {
 public:
  explicit Folder(fs::path folder) : folder_(std::move(folder)) { fs::create_directories(folder_); }
  void put(const std::string& key, const std::string& file) override {
    const fs::path to = path_of(key);
    fs::create_directories(to.parent_path());
    if (fs::exists(to)) {  // the same contents
      fs::remove(file);
      return;
    }
    move_file(file, to);
  }
  std::optional<std::string> get(const std::string& key, const std::string&) override {
    std::error_code e;
    const fs::path path = path_of(key);
    if (!fs::is_regular_file(path, e)) return std::nullopt;
    return path.string();
  }
  void remove(const std::string& key) override {
    std::error_code e;
    fs::remove(path_of(key), e);
  }
  bool copies() const override { return false; }

 private:
  fs::path path_of(const std::string& key) const { return folder_ / key.substr(0, 2) / key; }
  fs::path folder_;
};

/// Chunks of a row each, so that no value is larger than memory likes.
class InDatabase : public Objects {
 public:
  explicit InDatabase(Sql& sql) : sql_(sql) {}
  void put(const std::string& key, const std::string& file) override {
    sql_.transaction([&](Sql& s) {
      s.run("DELETE FROM object_bytes WHERE object = $1", {key});
      std::ifstream in(file, std::ios::binary);
      std::string chunk(kChunk, 0);
      for (int number = 0; in; ++number) {
        in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
        const auto size = static_cast<size_t>(in.gcount());
        if (size == 0 && number > 0) break;
        s.run("INSERT INTO object_bytes (object, number, bytes) VALUES ($1, $2, decode($3, 'hex'))",
              {key, std::to_string(number), hexadecimal(std::string_view(chunk).substr(0, size))});
      }
    });
    std::error_code e;
    fs::remove(file, e);
  }
  std::optional<std::string> get(const std::string& key, const std::string& place) override {
    std::ofstream out(place, std::ios::binary);
    for (int number = 0;; ++number) {
      const Rows rows = sql_.run("SELECT encode(bytes, 'hex') FROM object_bytes WHERE object = $1 AND number = $2",
                                 {key, std::to_string(number)});
      if (rows.empty() && number == 0) return std::nullopt;
      if (rows.empty()) break;
      out << from_hexadecimal(rows[0][0].value_or(""));
    }
    out.close();
    if (!out) throw std::system_error(std::make_error_code(std::errc::io_error), place);
    return place;
  }
  void remove(const std::string& key) override { sql_.run("DELETE FROM object_bytes WHERE object = $1", {key}); }
  bool copies() const override { return true; }

 private:
  static constexpr size_t kChunk = 1 << 20;
  static std::string hexadecimal(std::string_view bytes) {
    std::string s;
    s.reserve(bytes.size() * 2);
    for (const char c : bytes) {
      const auto b = static_cast<unsigned char>(c);
      s += "0123456789abcdef"[b >> 4];
      s += "0123456789abcdef"[b & 15];
    }
    return s;
  }
  static std::string from_hexadecimal(std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string s(text.size() / 2, 0);
    for (size_t i = 0; i < s.size(); ++i) s[i] = static_cast<char>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    return s;
  }
  Sql& sql_;
};

}  // namespace

std::unique_ptr<Objects> objects_in_folder(const std::string& folder) { return std::make_unique<Folder>(folder); }
std::unique_ptr<Objects> objects_in_database(Sql& sql) { return std::make_unique<InDatabase>(sql); }

std::unique_ptr<Objects> open_objects(const std::string& where, Sql& sql) {
  if (where.starts_with("folder:")) return objects_in_folder(where.substr(7));
  if (where == "database") {
    if (!sql.shared()) throw std::runtime_error("blobs can be kept in the database only where it is PostgreSQL");
    return objects_in_database(sql);
  }
  if (where.starts_with("s3://")) {
    S3Options o;
    const std::string rest = where.substr(5), path = rest.substr(0, rest.find('?'));
    o.bucket = path.substr(0, path.find('/'));
    if (path.find('/') != std::string::npos) o.prefix = path.substr(path.find('/') + 1);
    if (!o.prefix.empty() && !o.prefix.ends_with('/')) o.prefix += '/';
    for (size_t at = rest.find('?'); at != std::string::npos; at = rest.find('&', at + 1)) {
      const std::string pair = rest.substr(at + 1, rest.find('&', at + 1) - at - 1);
      const std::string name = pair.substr(0, pair.find('=')),
                        value = pair.substr(std::min(pair.size(), pair.find('=') + 1));
      if (name == "endpoint")
        o.endpoint = value;
      else if (name == "region")
        o.region = value;
      else
        throw std::runtime_error("the store's address has no parameter \"" + name + "\": endpoint, region");
    }
    if (o.bucket.empty())
      throw std::runtime_error("the store's address names no bucket: s3://BUCKET?endpoint=https://HOST");
    if (o.endpoint.empty()) o.endpoint = "https://s3." + o.region + ".amazonaws.com";
    const auto environment = [](const char* name) {
      const char* v = std::getenv(name);
      return std::string(v ? v : "");
    };
    o.access_key = environment("AWS_ACCESS_KEY_ID");
    o.secret_key = environment("AWS_SECRET_ACCESS_KEY");
    if (o.access_key.empty() || o.secret_key.empty())
      throw std::runtime_error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY have to be set for " + where);
    return objects_in_s3(o);
  }
  throw std::runtime_error("blobs are kept in folder:PATH, database or s3://BUCKET, not in " + where);
}

std::string sha256_of_file(const std::string& path) { return digest_of_file(path, EVP_sha256()); }
std::string sha384_of_file(const std::string& path) { return digest_of_file(path, EVP_sha384()); }
std::string sha256_of(std::string_view bytes) {
  Digest d(EVP_sha256());
  d.add(bytes);
  return d.text();
}

void move_file(const std::string& from, const std::string& to) {
  sync_path(from);
  std::error_code e;
  fs::rename(from, to, e);
  if (e == std::errc::cross_device_link) {
    const std::string part = to + ".part";
    fs::copy_file(from, part, fs::copy_options::overwrite_existing);
    sync_path(part);
    fs::rename(part, to);
    fs::remove(from);
  } else if (e) {
    throw std::system_error(e, to);
  }
  sync_path(fs::path(to).parent_path());
}

}  // namespace blobsmith::serve
