// Whom transfers over https trust.
#pragma once
#include <curl/curl.h>

#include <string>

namespace blobsmith::serve {

/// The file of SSL_CERT_FILE, else what this libcurl was built for, else (a static one is built for no system) the file
/// that is there of those where Linux distributions keep theirs.
void trust_certificates(CURL* c);

/// What to do about a transfer that failed with this code; empty: it has nothing to do with certificates.
std::string certificate_hint(CURLcode code);

}  // namespace blobsmith::serve
