#include <cstdio>
#include <iostream>
#include <new>

#include "serve/routes/routes.hpp"

namespace blobsmith::serve {
namespace {

const char* code_of(int status) {
  switch (status) {
    case 404: return "BS1001";
    case 413: return "BS1004";
    case 429:
    case 503:
    case 507: return "BS5001";
    case 500: return "BS9001";
    default: return "BS4002";
  }
}

/// The original's texts are HTML, and hold what a stranger's link may say.
std::string as_html(const std::string& text) {
  std::string s;
  for (const char c : text) s += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return s;
}

Response answer(const Request& r, int status, const std::string& message, const std::string& code,
                const std::string& hint) {
  if (!r.path.starts_with("/api/") && !wants_json(r))
    return text_response(as_html(message + (hint.empty() ? "" : " (" + hint + ")")), status)
        .with("Content-Security-Policy", "default-src 'none'")
        .with("X-Content-Type-Options", "nosniff");
  Json e{{"code", code.empty() ? code_of(status) : code}, {"message", message}};
  if (!hint.empty()) e["hint"] = hint;
  return json_response({{"message", message}, {"errors", {e}}}, status);
}

}  // namespace

bool wants_json(const Request& r) {
  const std::string accept = r.header("accept");
  return accept.find("application/json") != std::string::npos && accept.find("text/") == std::string::npos;
}

Response error_response(const Request& r, std::exception_ptr pointer) {
  try {
    std::rethrow_exception(pointer);
  } catch (const HttpError& e) {
    Response a = answer(r, e.status, e.what(), e.code, e.hint);
    for (const auto& [name, value] : e.headers) a.with(name, value);
    return a;
  } catch (const DatabaseGone& e) {
    std::cerr << r.method << " " << r.path << ": " << e.what() << std::endl;
    return answer(r, 503, "the database can't be reached", "", "try again in a while").with("Retry-After", "5");
  } catch (const std::bad_alloc&) {
    return answer(r, 503, "out of memory", "", "");
  } catch (const std::exception& e) {
    std::cerr << r.method << " " << r.path << ": " << e.what() << std::endl;
    return answer(r, 500, "internal error", "", "the server's log says more");
  }
}

}  // namespace blobsmith::serve
