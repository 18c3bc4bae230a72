// Requests and answers as handlers see them.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace blobsmith::serve {

using Json = nlohmann::ordered_json;
using Fields = std::vector<std::pair<std::string, std::string>>;  ///< in the order of the wire

/// A part of a form. Files are on disk already, in a place that is the request's own.
struct Part {
  std::string name;       ///< of the field
  std::string file_name;  ///< as sent, path and all; only of files
  bool is_file = false;
  std::string value;  ///< of what is no file
  std::string path;   ///< of a file
  uint64_t size = 0;
};

struct Request {
  std::string method, path;  ///< path: decoded
  Fields query;
  std::map<std::string, std::string> headers;  ///< names in small letters
  std::vector<Part> parts;                     ///< of a form
  std::string body;                            ///< of what is no form
  std::vector<std::string> captures;           ///< the parts of the path that the route leaves open

  std::string query_value(std::string_view name, std::string otherwise = {}) const;  ///< the first of that name
  std::string header(const std::string& name) const;

  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request();  ///< removes the files that are still there
};

/// A text that grows while it is sent. Threads: any may push and close.
class Stream {
 public:
  void push(std::string_view text);
  void close();
  bool gone() const;  ///< nobody reads any more

  struct Impl;
  Stream();
  ~Stream();
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string file;                ///< its contents instead of `body`; may be removed after the answer has begun
  std::string_view constant;       ///< lives as long as the program; instead of `body`
  std::shared_ptr<Stream> stream;  ///< instead of `body`
  Response& with(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};

Response json_response(const Json& j, int status = 200);
Response text_response(std::string text, int status = 200, const std::string& type = "text/html; charset=utf-8");

/// The answer to one request; to be called once, from any thread. What is never called answers 500.
class Reply {
 public:
  explicit Reply(std::function<void(Response)> send);
  void operator()(Response r) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// A fault of the request that any layer may throw while it is handled.
struct HttpError : std::runtime_error {
  HttpError(int status_, const std::string& what, std::string code_ = {}, std::string hint_ = {})
      : std::runtime_error(what), status(status_), code(std::move(code_)), hint(std::move(hint_)) {}
  int status;
  std::string code, hint;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// True where all texts of the request (names and values, not the contents of files) are UTF-8, as JSON needs it.
bool is_utf8(const Request& r);
std::string percent_encoded(std::string_view text);  ///< for a part of a path
/// `attachment; filename="x.blob"`, and the UTF-8 form where the name needs it.
std::string attachment(const std::string& file_name);

}  // namespace blobsmith::serve
