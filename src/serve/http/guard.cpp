#include "serve/http/guard.hpp"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace blobsmith::serve {
namespace {

/// "example.org" of "Example.org.:8080", "::1" of "[::1]:8080".
std::string without_port(const std::string& authority) {
  if (authority.starts_with('[')) return lower_case(authority.substr(1, authority.find(']') - 1));
  std::string host = lower_case(authority.substr(0, authority.rfind(':')));
  if (host.ends_with('.')) host.pop_back();
  return host;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

std::string machine() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? lower_case(name.data()) : "";
}

bool changes_something(const Request& r) {
  if (r.method != "GET" && r.method != "HEAD" && r.method != "OPTIONS") return true;
  return r.path == "/compile" || r.path == "/update";
}

}  // namespace

Guard::Guard(const std::string& address, std::vector<std::string> hosts) : hosts_(std::move(hosts)) {
  for (std::string& h : hosts_) h = lower_case(h);
  const bool local = address.starts_with("127.") || address == "::1" || address == "localhost";
  any_ = hosts_.empty() && !local;
  hosts_.push_back(machine());
}

bool Guard::is_own(const std::string& host) const {
  // A name that leads here is what rebinding takes: an address is none.
  return any_ || host.empty() || host == "localhost" || host.ends_with(".localhost") || is_address(host) ||
         std::ranges::find(hosts_, host) != hosts_.end();
}

std::pair<int, std::string> Guard::refusal(const Request& r) const {
  const std::string host = without_port(r.header("host"));
  if (!is_own(host))
    return {421,
            "this server is not called \"" + host.substr(0, 100) + "\"; if it is: serve --host " + host.substr(0, 100)};
  if (!changes_something(r)) return {};
  const std::string site = r.header("sec-fetch-site"), origin = r.header("origin");
  const std::string why = "a page of another site may not use this server";
  if (!site.empty()) return site == "same-origin" || site == "none" ? std::pair(0, std::string()) : std::pair(403, why);
  if (origin.empty()) return {};  // no browser
  const size_t at = origin.find("://");
  const std::string from = at == std::string::npos ? "" : without_port(origin.substr(at + 3));
  // Proxies may change the name, and drop the port.
  if (from.empty() || (from != host && from != without_port(r.header("x-forwarded-host")))) return {403, why};
  return {};
}

}  // namespace blobsmith::serve
