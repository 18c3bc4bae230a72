// GET, PUT and DELETE of objects with signature version 4, which libcurl makes.
#include <curl/curl.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "serve/storage/certificates.hpp"
#include "serve/storage/objects.hpp"

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

struct FileCloser {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

class S3 : public Objects {
 public:
  explicit S3(S3Options o) : options_(std::move(o)) {
    static const CURLcode once = curl_global_init(CURL_GLOBAL_ALL);
    if (once != CURLE_OK) throw std::runtime_error("libcurl can't be used");
  }

  void put(const std::string& key, const std::string& file) override {
    const auto send = [&] {
      return retried(
          [&](CURL* c) {
            const File in(std::fopen(file.c_str(), "rb"));
            if (!in) throw std::runtime_error("can't read " + file);
            curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
            curl_easy_setopt(c, CURLOPT_READDATA, in.get());
            curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(fs::file_size(file)));
            return perform(c, url_of(key));
          },
          key);
    };
    long status = send();
    if (status == 404 && make_bucket()) status = send();
    if (status / 100 != 2) fail("store", key, status);
    std::error_code e;
    fs::remove(file, e);
  }

  std::optional<std::string> get(const std::string& key, const std::string& place) override {
    const long status = retried(
        [&](CURL* c) {
          const File out(std::fopen(place.c_str(), "wb"));
          if (!out) throw std::runtime_error("can't write " + place);
          curl_easy_setopt(c, CURLOPT_WRITEDATA, out.get());
          return perform(c, url_of(key));
        },
        key);
    if (status / 100 == 2) return place;
    std::error_code e;
    fs::remove(place, e);
    if (status == 404) return std::nullopt;
    fail("fetch", key, status);
  }

  void remove(const std::string& key) override {
    const long status = retried(
        [&](CURL* c) {
          curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, "DELETE");
          return perform(c, url_of(key));
        },
        key);
    if (status / 100 != 2 && status != 404) fail("remove", key, status);
  }

  bool copies() const override { return true; }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& key, long status) const {
    throw std::runtime_error("can't " + what + " the object " + key + ": " + options_.endpoint + " answers " +
                             std::to_string(status));
  }

  std::string url_of(const std::string& key) const {
    return options_.endpoint + "/" + options_.bucket + "/" + options_.prefix + key;
  }

  /// Of a store that is new.
  bool make_bucket() const {
    const long status = retried(
        [&](CURL* c) {
          curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
          curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, curl_off_t{0});
          return perform(c, options_.endpoint + "/" + options_.bucket);
        },
        options_.bucket);
    return status / 100 == 2 || status == 409;  // 409: another server was faster
  }

  long perform(CURL* c, const std::string& url) const {
    const std::string user = options_.access_key + ":" + options_.secret_key,
                      signing = "aws:amz:" + options_.region + ":s3";
    curl_easy_setopt(c, CURLOPT_URL, url.c_str());
    curl_easy_setopt(c, CURLOPT_AWS_SIGV4, signing.c_str());
    curl_easy_setopt(c, CURLOPT_USERPWD, user.c_str());
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 30L);
    curl_slist* headers = curl_slist_append(nullptr, "x-amz-content-sha256: UNSIGNED-PAYLOAD");
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    const CURLcode code = curl_easy_perform(c);
    curl_slist_free_all(headers);
    if (const std::string hint = certificate_hint(code); !hint.empty())
      throw std::runtime_error(options_.endpoint + ": " + curl_easy_strerror(code) + " (" + hint + ")");
    long status = 0;
    curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    return code == CURLE_OK ? status : 0;
  }

  /// Until the store answers with anything but a fault of its own.
  template <class F>
  long retried(F f, const std::string& key) const {
    for (int attempt = 0;; ++attempt) {
      const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> c(curl_easy_init(), &curl_easy_cleanup);
      curl_easy_setopt(
          c.get(), CURLOPT_WRITEFUNCTION, +[](char* data, size_t size, size_t n, void* to) {
            return to ? std::fwrite(data, size, n, static_cast<std::FILE*>(to)) : size * n;
          });
      curl_easy_setopt(c.get(), CURLOPT_WRITEDATA, nullptr);
      trust_certificates(c.get());
      const long status = f(c.get());
      if (status != 0 && status / 100 != 5) return status;
      if (attempt == 4) {
        if (status == 0) throw std::runtime_error("can't reach " + options_.endpoint + " for the object " + key);
        return status;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200 << attempt));
    }
  }

  S3Options options_;
};

}  // namespace

std::unique_ptr<Objects> objects_in_s3(S3Options options) { return std::make_unique<S3>(std::move(options)); }

}  // namespace blobsmith::serve
