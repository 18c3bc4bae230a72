#include "serve/http/message.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>

namespace blobsmith::serve {

std::string Request::query_value(std::string_view name, std::string otherwise) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return otherwise;
}

std::string Request::header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? "" : it->second;
}

Request::~Request() {
  std::error_code e;
  for (const Part& p : parts)
    if (!p.path.empty()) std::filesystem::remove(p.path, e);
}

Response json_response(const Json& j, int status) {
  Response r;
  r.status = status;
  r.body = j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  return std::move(r.with("Content-Type", "application/json"));
}

Response text_response(std::string text, int status, const std::string& type) {
  Response r;
  r.status = status;
  r.body = std::move(text);
  return std::move(r.with("Content-Type", type));
}

struct Reply::State {
  std::function<void(Response)> send;
  std::atomic<bool> sent = false;
  ~State() {
    if (!sent) send(json_response({{"message", "the request was dropped"}}, 500));
  }
};

Reply::Reply(std::function<void(Response)> send) : state_(std::make_shared<State>()) { state_->send = std::move(send); }

void Reply::operator()(Response r) const {
  if (!state_->sent.exchange(true)) state_->send(std::move(r));
}

bool is_utf8(const Request& r) {
  Json texts{r.path, r.body};
  for (const auto& [name, value] : r.query) texts.insert(texts.end(), {name, value});
  for (const Part& p : r.parts) texts.insert(texts.end(), {p.name, p.file_name, p.value});
  try {
    return !texts.dump().empty();
  } catch (const Json::type_error&) {
    return false;
  }
}

std::string percent_encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string s;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~')
      s += c;
    else
      s += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return s;
}

std::string attachment(const std::string& file_name) {
  const bool plain = std::ranges::all_of(
      file_name, [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-' || c == '_'; });
  return plain ? "attachment; filename=" + file_name : "attachment; filename*=UTF-8''" + percent_encoded(file_name);
}

}  // namespace blobsmith::serve
