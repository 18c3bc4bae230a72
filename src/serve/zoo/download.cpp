#include "serve/zoo/download.hpp"

#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <thread>

#include "serve/storage/certificates.hpp"
#include "serve/storage/objects.hpp"

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr uint64_t kMostFileBytes = uint64_t{4} << 30, kMostArchiveBytes = uint64_t{2} << 30;
constexpr int kAttempts = 5;
/// So that nobody keeps a place among those that download for ever by a byte now and then.
constexpr long kMostSeconds = 3600;

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

struct Transfer {
  const Source& source;
  fs::path to;
  uint64_t most = 0;
  const DownloadListener& listener;
  uint64_t begun = 0;  ///< bytes that were there before
  bool too_much = false, stopped = false;
};

int on_progress(void* pointer, curl_off_t all, curl_off_t done, curl_off_t, curl_off_t) {
  Transfer& t = *static_cast<Transfer*>(pointer);
  t.too_much = t.begun + static_cast<uint64_t>(done) > t.most;  // of a length that wasn't stated
  t.stopped = t.listener.stop && t.listener.stop();
  if (t.listener.progress)
    t.listener.progress(t.begun + static_cast<uint64_t>(done), all > 0 ? t.begun + static_cast<uint64_t>(all) : 0);
  return t.too_much || t.stopped;
}

enum class Outcome { Done, Failed, BrokeOff, CantGoOn };

/// Once. Goes on with what is there already.
Outcome transfer(Transfer& t, std::string& why) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> c(curl_easy_init(), &curl_easy_cleanup);
  const std::unique_ptr<std::FILE, FileCloser> file(std::fopen(t.to.c_str(), "ab"));
  why = "can't write " + t.to.filename().string();
  if (!c || !file) return Outcome::Failed;
  std::error_code e;
  if (fs::file_size(t.to, e) > t.most) fs::resize_file(t.to, 0, e);
  t.begun = fs::file_size(t.to, e);
  curl_easy_setopt(c.get(), CURLOPT_URL, t.source.url.c_str());
  curl_easy_setopt(c.get(), CURLOPT_WRITEDATA, file.get());
  curl_easy_setopt(c.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(c.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(c.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c.get(), CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c.get(), CURLOPT_CONNECTTIMEOUT, 15L);
  curl_easy_setopt(c.get(), CURLOPT_LOW_SPEED_LIMIT, 100L);
  curl_easy_setopt(c.get(), CURLOPT_LOW_SPEED_TIME, 30L);
  curl_easy_setopt(c.get(), CURLOPT_TIMEOUT, kMostSeconds);
  curl_easy_setopt(c.get(), CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(t.most));
  curl_easy_setopt(c.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(c.get(), CURLOPT_XFERINFOFUNCTION, &on_progress);
  curl_easy_setopt(c.get(), CURLOPT_XFERINFODATA, &t);
  if (t.source.public_only) curl_easy_setopt(c.get(), CURLOPT_OPENSOCKETFUNCTION, &open_public);
  if (t.begun > 0) curl_easy_setopt(c.get(), CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(t.begun));
  trust_certificates(c.get());
  const CURLcode code = curl_easy_perform(c.get());
  if (t.stopped) throw DownloadStopped{};
  long status = 0;
  curl_easy_getinfo(c.get(), CURLINFO_RESPONSE_CODE, &status);
  why = t.source.url + ": " +
        (t.too_much || code == CURLE_FILESIZE_EXCEEDED ? "it is larger than stated" : curl_easy_strerror(code)) +
        (code == CURLE_HTTP_RETURNED_ERROR ? " (" + std::to_string(status) + ")" : "");
  if (const std::string hint = certificate_hint(code); !hint.empty()) why += " (" + hint + ")";
  if (code == CURLE_OK) return Outcome::Done;
  if (t.begun > 0 && (code == CURLE_RANGE_ERROR || status == 416)) return Outcome::CantGoOn;
  if (t.too_much) return Outcome::Failed;
  constexpr std::array kPassing{CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_GOT_NOTHING};
  if (std::ranges::find(kPassing, code) != kPassing.end()) return Outcome::BrokeOff;
  return code == CURLE_HTTP_RETURNED_ERROR && status >= 500 ? Outcome::BrokeOff : Outcome::Failed;
}

void pause(int seconds, const DownloadListener& listener) {
  for (int i = 0; i < 10 * seconds; ++i) {
    if (listener.stop && listener.stop()) throw DownloadStopped{};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// As often as it takes. Why it failed; empty: it didn't.
std::string transfer_whole(Transfer t) {
  std::string why;
  for (int attempt = 1;; ++attempt) {
    switch (transfer(t, why)) {
      case Outcome::Done: return "";
      case Outcome::Failed: return why;
      case Outcome::CantGoOn: {
        std::error_code e;
        fs::resize_file(t.to, 0, e);
        if (e) return "can't write " + t.to.filename().string();
        break;
      }
      case Outcome::BrokeOff:
        if (attempt >= kAttempts) return why;
        pause(std::min(attempt - 1, 3), t.listener);
    }
    if (attempt >= 2 * kAttempts) return why;
  }
}

/// One file of an archive. Why it failed; empty: it didn't.
std::string extract(const fs::path& archive, const std::string& member, const fs::path& to, uint64_t most) {
  const std::string where = "the archive";
  const std::unique_ptr<zip_t, decltype(&zip_discard)> z(zip_open(archive.c_str(), ZIP_RDONLY, nullptr), &zip_discard);
  if (!z) return where + " is no zip archive";
  const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> in(zip_fopen(z.get(), member.c_str(), 0), &zip_fclose);
  if (!in) return where + " holds no " + member;
  const std::unique_ptr<std::FILE, FileCloser> out(std::fopen(to.c_str(), "wb"));
  if (!out) return "can't write " + to.filename().string();
  std::vector<char> buffer(1 << 16);
  uint64_t all = 0;
  zip_int64_t n = 0;
  while ((n = zip_fread(in.get(), buffer.data(), buffer.size())) > 0) {
    all += static_cast<uint64_t>(n);
    if (all > most) return member + " in " + where + " is larger than stated";
    if (std::fwrite(buffer.data(), 1, static_cast<size_t>(n), out.get()) != static_cast<size_t>(n))
      return "can't write " + to.filename().string();
  }
  return n < 0 ? where + " is damaged" : "";
}

std::string archive_place(const Source& s) { return "archives/" + sha256_of(s.url).substr(0, 16) + ".zip"; }

/// From an archive, which stays for the other models in it.
std::string download_member(const Source& s, const fs::path& folder, const fs::path& to, uint64_t most,
                            const DownloadListener& listener) {
  const fs::path archive = folder / archive_place(s), part = archive.string() + ".part";
  std::error_code e;
  if (!fs::is_regular_file(archive, e)) {
    fs::create_directories(archive.parent_path());
    if (std::string why = transfer_whole({s, part, kMostArchiveBytes, listener}); !why.empty()) return why;
    fs::rename(part, archive);
  }
  std::string why = extract(archive, s.member, to, most);
  if (!why.empty()) fs::remove(archive, e);  // the next try fetches it anew
  return why;
}

}  // namespace

Json to_json(const Wanted& w) {
  Json j{{"model", w.model}, {"name", w.name}, {"place", w.place}, {"sha256", w.sha256}, {"sha384", w.sha384}};
  if (w.size) j["size"] = *w.size;
  if (!w.files.empty()) j["files"] = w.files;
  for (const Source& s : w.sources)
    j["sources"].push_back({{"url", s.url}, {"member", s.member}, {"public_only", s.public_only}});
  return j;
}

Wanted wanted_of(const Json& j) {
  Wanted w{j.at("model"), j.at("name"), j.at("place"), {}, j.at("sha256"), j.at("sha384"), {}, {}};
  w.files = j.value("files", w.files);
  if (j.contains("size")) w.size = j["size"].get<uint64_t>();
  for (const Json& s : j.value("sources", Json::array()))
    w.sources.push_back({s.at("url"), s.at("member"), s.at("public_only")});
  return w;
}

std::string turn_of(const Wanted& w) {
  const auto it = std::ranges::find_if(w.sources, [](const Source& s) { return !s.member.empty(); });
  return it == w.sources.end() ? w.place : archive_place(*it);
}

std::string mismatch(const std::string& path, const Wanted& w) {
  const uint64_t size = fs::file_size(path);
  if (w.size && *w.size != size) return "has " + std::to_string(size) + " bytes, not " + std::to_string(*w.size);
  if (!w.sha256.empty() && sha256_of_file(path) != w.sha256) return "has another sha256";
  if (!w.sha384.empty() && sha384_of_file(path) != w.sha384) return "has another sha384";
  return "";
}

std::string download(const Wanted& w, const std::string& folder, const DownloadListener& listener) {
  const fs::path kept = fs::path(folder) / w.place, part = kept.string() + ".part";
  const uint64_t most = w.size.value_or(kMostFileBytes);
  fs::create_directories(kept.parent_path());
  std::string tried;
  for (const Source& s : w.sources) {
    std::string why =
        s.member.empty() ? transfer_whole({s, part, most, listener}) : download_member(s, folder, part, most, listener);
    std::error_code e;
    const uint64_t size = fs::file_size(part, e);
    const bool is_part = !why.empty() && !e && size > 0 && w.size && size < *w.size;
    if (why.empty()) why = mismatch(part, w);
    if (!why.empty() && !why.starts_with(s.url)) why = s.url + ": " + why;
    if (why.empty()) {
      fs::rename(part, kept);
      return kept;
    }
    tried += "; " + why;
    if (!is_part) fs::remove(part, e);  // else the next try goes on with it
  }
  throw std::runtime_error("can't get " + w.name + " of " + w.model + tried);
}

}  // namespace blobsmith::serve
