#include "serve/storage/certificates.hpp"

#include <cstdlib>
#include <filesystem>

namespace blobsmith::serve {
namespace {

std::string certificate_file() {
  if (const char* told = std::getenv("SSL_CERT_FILE"); told && *told) return told;
  if (curl_version_info(CURLVERSION_NOW)->cainfo) return "";
  for (const char* file : {"/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch, Gentoo, Alpine
                           "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL
                           "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL, newer Fedora
                           "/etc/ssl/ca-bundle.pem",                             // openSUSE
                           "/etc/ssl/cert.pem"}) {                               // Alpine without its package
    std::error_code e;
    if (std::filesystem::exists(file, e)) return file;
  }
  return "";
}

}  // namespace

void trust_certificates(CURL* c) {
  const std::string file = certificate_file();
  if (!file.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, file.c_str());
}

std::string certificate_hint(CURLcode code) {
  if (code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CACERT_BADFILE) return "";
  const std::string file = certificate_file();
  if (file.empty() && curl_version_info(CURLVERSION_NOW)->cainfo) return "SSL_CERT_FILE names a file of certificates";
  return (file.empty() ? "no file of certificates is known here" : "trusted are the certificates in " + file) +
         "; SSL_CERT_FILE names another";
}

}  // namespace blobsmith::serve
