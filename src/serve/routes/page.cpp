// The page, embedded into the program, and Netron from a folder.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "serve/routes/embedded.hpp"
#include "serve/routes/routes.hpp"

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

const char* media_type_of(std::string_view name) {
  constexpr std::pair<std::string_view, const char*> kTypes[] = {{".html", "text/html; charset=utf-8"},
                                                                 {".js", "text/javascript; charset=utf-8"},
                                                                 {".css", "text/css; charset=utf-8"},
                                                                 {".json", "application/json"},
                                                                 {".svg", "image/svg+xml"},
                                                                 {".png", "image/png"},
                                                                 {".ico", "image/x-icon"},
                                                                 {".woff2", "font/woff2"},
                                                                 {".wasm", "application/wasm"},
                                                                 {".webmanifest", "application/manifest+json"}};
  for (const auto& [ending, type] : kTypes)
    if (name.ends_with(ending)) return type;
  return "application/octet-stream";
}

constexpr const char* kPolicy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; connect-src 'self' blob: data:; "
    "worker-src 'self' "
    "blob:; frame-src 'self' blob:; frame-ancestors 'self'; base-uri 'self'";

Response file_of_page(const EmbeddedFile& f) {
  Response a;
  a.constant = f.contents;
  const bool named_by_contents = std::string_view(f.name).starts_with("assets/");
  a.with("Content-Type", media_type_of(f.name))
      .with("Cache-Control", named_by_contents ? "public, max-age=31536000, immutable" : "no-cache")
      .with("Content-Security-Policy", kPolicy)
      .with("X-Content-Type-Options", "nosniff")
      .with("Referrer-Policy", "no-referrer");
  return a;
}

const EmbeddedFile* find_file(std::string_view name) {
  for (const EmbeddedFile& f : embedded_page())
    if (f.name == name) return &f;
  return nullptr;
}

/// Of its index.html go: the date, after which it only asks to be updated, and the version, with which it reports its
/// use.
std::string mended_index(std::string text) {
  const auto drop = [&](const std::string& begin, const std::string& instead) {
    const size_t at = text.find(begin);
    if (at == std::string::npos) return;
    const size_t end = text.find('>', at);
    if (end != std::string::npos) text.replace(at, end + 1 - at, instead);
  };
  drop("<meta name=\"date\"", "");
  drop("<meta name=\"version\"", "<meta name=\"version\" content=\"0.0.0\">");
  return text;
}

Response file_of_netron(const std::string& folder, const std::string& name) {
  const fs::path path = (fs::path(folder) / (name.empty() ? "index.html" : name)).lexically_normal();
  const std::string inside = path.lexically_relative(folder);
  std::error_code e;
  if (inside.starts_with("..") || !fs::is_regular_file(path, e)) throw HttpError(404, "Netron has no file " + name);
  Response a;
  if (path.filename() == "index.html") {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    a.body = mended_index(text.str());
    // Without the cookie it asks a foreign host where its user is.
    a.with("Set-Cookie", "consent=1; Path=/netron/; SameSite=Strict");
  } else {
    a.file = path;
  }
  a.with("Content-Type", media_type_of(path.string()))
      .with("Cache-Control", "no-cache")
      .with("Content-Security-Policy", kPolicy)
      .with("X-Content-Type-Options", "nosniff");
  return a;
}

}  // namespace

void add_page_routes(Server& server, const std::string& netron_folder) {
  if (!netron_folder.empty())
    server.route("GET", "/netron/**", [netron_folder](Request& r, const Reply& reply) {
      reply(file_of_netron(netron_folder, r.captures.at(0)));
    });
  server.route("GET", "/**", [](Request& r, const Reply& reply) {
    const std::string& name = r.captures.at(0);
    const EmbeddedFile* f = find_file(name.empty() ? "index.html" : name);
    // The page has addresses of its own, such as /jobs/ID, which lead back to it.
    if (!f && name.starts_with("jobs/")) f = find_file("index.html");
    if (!f) throw HttpError(404, "there is nothing at " + r.path);
    reply(file_of_page(*f));
  });
}

}  // namespace blobsmith::serve
