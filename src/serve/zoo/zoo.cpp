#include "serve/zoo/zoo.hpp"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "serve/storage/objects.hpp"

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

constexpr uint64_t kMostArchiveBytes = uint64_t{2} << 30;

bool is_url(const std::string& s) { return s.starts_with("http://") || s.starts_with("https://"); }

bool stays_inside(const std::string& name) {
  if (name.empty() || name.starts_with('/')) return false;
  for (const fs::path& part : fs::path(name))
    if (part == "..") return false;
  return true;
}

struct FileCloser {
  void operator()(std::FILE* f) const { std::fclose(f); }
};

/// An address of the internet, not of this machine or its network.
bool is_public(const sockaddr& address) {
  std::array<uint8_t, 4> v4{};
  if (address.sa_family == AF_INET6) {
    const auto& bytes = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr;
    constexpr std::array<uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (!std::equal(kMapped.begin(), kMapped.end(), bytes)) return bytes[0] >= 0x20 && bytes[0] <= 0x3F;
    std::copy_n(bytes + 12, 4, v4.begin());
  } else if (address.sa_family == AF_INET) {
    std::memcpy(v4.data(), &reinterpret_cast<const sockaddr_in&>(address).sin_addr, 4);
  } else {
    return false;
  }
  const auto [a, b, c, d] = v4;
  return a != 0 && a != 10 && a != 127 && a < 224 && !(a == 100 && b / 64 == 1) && !(a == 169 && b == 254) &&
         !(a == 172 && b / 16 == 1) && !(a == 192 && (b == 168 || (b == 0 && c == 0)));
}

curl_socket_t open_public(void*, curlsocktype, curl_sockaddr* a) {
  return is_public(a->addr) ? socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol) : CURL_SOCKET_BAD;
}

struct Download {
  std::string url;
  fs::path to;
  uint64_t most = 0;
  bool public_only = false;  ///< the address comes from somebody who may not see into this network
};

/// Goes on with what is there already. Why it failed; empty: it didn't.
std::string download(const Download& d) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> c(curl_easy_init(), &curl_easy_cleanup);
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(d.to.c_str(), "ab"));
  if (!c || !file) return "can't write " + d.to.string();
  std::error_code e;
  const auto begun = fs::file_size(d.to, e);
  curl_easy_setopt(c.get(), CURLOPT_URL, d.url.c_str());
  curl_easy_setopt(c.get(), CURLOPT_WRITEDATA, file.get());
  curl_easy_setopt(c.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(c.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c.get(), CURLOPT_CONNECTTIMEOUT, 15L);
  curl_easy_setopt(c.get(), CURLOPT_LOW_SPEED_LIMIT, 100L);
  curl_easy_setopt(c.get(), CURLOPT_LOW_SPEED_TIME, 30L);
  curl_easy_setopt(c.get(), CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(d.most));
  if (d.public_only) curl_easy_setopt(c.get(), CURLOPT_OPENSOCKETFUNCTION, &open_public);
  if (begun > 0) curl_easy_setopt(c.get(), CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(begun));
  const CURLcode code = curl_easy_perform(c.get());
  long status = 0;
  curl_easy_getinfo(c.get(), CURLINFO_RESPONSE_CODE, &status);
  if (begun > 0 && (code == CURLE_RANGE_ERROR || status == 416)) {  // it can't go on there
    fs::resize_file(d.to, 0, e);
    return e ? "can't write " + d.to.string() : download(d);
  }
  return code == CURLE_OK ? "" : d.url + ": " + curl_easy_strerror(code);
}

/// One file of an archive. Why it failed; empty: it didn't.
std::string extract(const fs::path& archive, const std::string& member, const fs::path& to, uint64_t most) {
  const std::string where = archive.filename().string();
  const std::unique_ptr<zip_t, decltype(&zip_discard)> z(zip_open(archive.c_str(), ZIP_RDONLY, nullptr), &zip_discard);
  if (!z) return where + " is no zip archive";
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> in(zip_fopen(z.get(), member.c_str(), 0), &zip_fclose);
  if (!in) return where + " holds no " + member;
  const std::unique_ptr<std::FILE, FileCloser> out(std::fopen(to.c_str(), "wb"));
  if (!out) return "can't write " + to.string();
  std::vector<char> buffer(1 << 16);
  uint64_t all = 0;
  zip_int64_t n = 0;
  while ((n = zip_fread(in.get(), buffer.data(), buffer.size())) > 0) {
    all += static_cast<uint64_t>(n);
    if (all > most) return member + " in " + where + " is larger than stated";
    if (std::fwrite(buffer.data(), 1, static_cast<size_t>(n), out.get()) != static_cast<size_t>(n))
      return "can't write " + to.string();
  }
  return n < 0 ? where + " is damaged" : "";
}

/// From the archive, which stays for the other models in it.
std::string download_member(const ConfigFile& f, const fs::path& folder, const fs::path& to, uint64_t most) {
  const std::string name = fs::path(f.url).filename();
  if (!stays_inside(name)) return f.url + " names no archive";
  const fs::path archive = folder / name, part = archive.string() + ".part";
  std::error_code e;
  if (!fs::is_regular_file(archive, e)) {
    fs::create_directories(folder);
    if (std::string why = download({f.url, part, kMostArchiveBytes}); !why.empty()) return why;
    fs::rename(part, archive);
  }
  std::string why = extract(archive, f.member, to, most);
  if (!why.empty()) fs::remove(archive, e);  // the next try fetches it anew
  return why;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> shipped_models() {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& p :
       {folder / "../share/blobsmith/zoo", folder / "../../share/blobsmith/zoo", folder / "../data/zoo"})
    if (fs::is_directory(p)) return {{"intel", fs::canonical(p)}};
  return {};
}

std::string mismatch(const std::string& path, const ConfigFile& f) {
  const uint64_t size = fs::file_size(path);
  if (f.size && *f.size != size) return "has " + std::to_string(size) + " bytes, not " + std::to_string(*f.size);
  if (!f.sha256.empty() && sha256_of_file(path) != f.sha256) return "has another sha256";
  if (!f.sha384.empty() && sha384_of_file(path) != f.sha384) return "has another sha384";
  return "";
}

Zoo::Zoo(ZooOptions options) : options_(std::move(options)) { rescan(); }

void Zoo::rescan() {
  std::map<std::pair<std::string, std::string>, ZooModel> found;
  for (const auto& [zoo, folder] : options_.folders) {
    if (!fs::is_directory(folder)) throw std::runtime_error("the zoo's folder " + folder + " is missing");
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().filename() != "model.yml" || !entry.is_regular_file()) continue;
      const std::string name = entry.path().parent_path().filename();
      try {
        found[{zoo, name}] = {name, zoo, entry.path().parent_path(), parse_model_config(read_text(entry.path()))};
      } catch (const std::exception& e) {
        std::cerr << "zoo: " << entry.path().string() << ": " << e.what() << std::endl;
      }
    }
  }
  const std::lock_guard lock(mutex_);
  models_.swap(found);
}

std::vector<ZooModel> Zoo::models(const std::string& zoo) const {
  const std::lock_guard lock(mutex_);
  std::vector<ZooModel> list;
  for (const auto& [key, m] : models_)
    if (zoo.empty() || key.first == zoo) list.push_back(m);
  return list;
}

std::optional<ZooModel> Zoo::find(const std::string& zoo, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, m] : models_)
    if ((zoo.empty() || key.first == zoo) && key.second == name) return m;
  return std::nullopt;
}

/// One fetches a file, the others that want it wait.
class Zoo::Turn {
 public:
  Turn(const Zoo& zoo, std::string path) : zoo_(zoo), path_(std::move(path)) {
    std::unique_lock lock(zoo_.mutex_);
    zoo_.fetched_.wait(lock, [&] { return zoo_.fetching_.insert(path_).second; });
  }
  ~Turn() {
    {
      const std::lock_guard lock(zoo_.mutex_);
      zoo_.fetching_.erase(path_);
    }
    zoo_.fetched_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  const Zoo& zoo_;
  std::string path_;
};

std::string Zoo::fetch(const std::string& model, const std::string& folder, const ConfigFile& f) const {
  const bool is_ours = !folder.empty();
  if (!stays_inside(f.name))
    throw std::runtime_error("the file name \"" + f.name + "\" leads out of the model's folder");
  std::vector<std::string> tried;
  const auto good = [&](const fs::path& p) {
    std::error_code e;
    if (!fs::is_regular_file(p, e)) return false;
    const std::string why = mismatch(p, f);
    if (!why.empty()) tried.push_back(p.filename().string() + " " + why);
    return why.empty();
  };
  if (!folder.empty() && good(fs::path(folder) / f.name)) return fs::path(folder) / f.name;
  const fs::path kept = fs::path(options_.cache_folder) / (is_ours ? "" : "sent") / model / f.name;
  const Turn turn(*this, kept);
  if (good(kept)) return kept;
  std::vector<std::string> urls;
  for (const std::string& m : options_.mirrors) {
    if (is_url(m)) {
      urls.push_back(m + (m.ends_with('/') ? "" : "/") + model + "/" + f.name);
      continue;
    }
    for (const fs::path& p : {fs::path(m) / model / f.name, fs::path(m) / model / fs::path(f.name).filename()})
      if (good(p)) return p;
    tried.push_back("the mirror has no " + model + "/" + f.name);
  }
  if (options_.download && f.source_type == "http" && is_url(f.url)) urls.push_back(f.url);
  if (options_.download && f.source_type == "google_drive")
    urls.push_back("https://drive.google.com/uc?export=download&id=" + f.url);
  const bool in_archive = options_.download && is_ours && f.source_type == "zip_member" && is_url(f.url);
  if (in_archive) urls.push_back(f.url);
  fs::create_directories(kept.parent_path());
  for (const std::string& url : urls) {
    const fs::path part = kept.string() + ".part";
    const uint64_t most = f.size.value_or(uint64_t{4} << 30);
    const bool is_mirror = url != f.url && f.source_type != "google_drive";
    std::string why = in_archive && url == f.url
                          ? download_member(f, fs::path(options_.cache_folder) / "archives", part, most)
                          : download({url, part, most, !is_ours && !is_mirror});
    std::error_code e;
    const bool whole = why.empty() || (f.size && fs::file_size(part, e) >= *f.size);
    if (why.empty()) why = mismatch(part, f);
    if (why.empty()) {
      fs::rename(part, kept);
      return kept;
    }
    tried.push_back(why);
    if (whole) fs::remove(part, e);  // else the next try goes on with it
  }
  std::string why = "can't get " + f.name + " of " + model;
  for (const std::string& t : tried) why += "; " + t;
  if (urls.empty()) why += "; downloads are switched off, and no mirror is an address";
  throw std::runtime_error(why);
}

}  // namespace blobsmith::serve
