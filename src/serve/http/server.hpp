// HTTP over libmicrohttpd: two threads move bytes for all connections, a few more run handlers; bodies go to disk as
// they come, so that memory doesn't grow with uploads.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "serve/http/message.hpp"

namespace blobsmith::serve {

struct ServerOptions {
  std::string address = "127.0.0.1";
  int port = 8080;  ///< 0: any that is free
  std::string upload_folder;
  uint64_t body_bytes = uint64_t{1} << 30;
  std::vector<std::string> hosts;  ///< names of this server (guard.hpp)
  unsigned connections = 4000, connections_of_one_address = 1500;
  unsigned idle_seconds = 30;    ///< without a byte
  unsigned header_seconds = 60;  ///< for a request's headers, from the connection's last answer on
  unsigned body_seconds = 3600;
  int handlers = 16;
};

using Handler = std::function<void(Request&, const Reply&)>;

class Server {
 public:
  explicit Server(ServerOptions options);
  ~Server();

  /// `path`: "/jobs/*/events", where * is one part, and "/**" at the end any rest. The first route that fits counts.
  /// Handlers run on several threads; what they throw is answered by on_error.
  void route(const std::string& methods, const std::string& path, Handler handler);
  void on_error(std::function<Response(const Request&, std::exception_ptr)> f);
  /// Throws std::runtime_error where the port is taken.
  void start();
  /// No new connection; answers that are not there yet become 503.
  void stop();
  int port() const;
  unsigned connections() const;
  uint64_t body_bytes() const;  ///< that a request may have
  uint64_t requests() const;

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;  ///< shared with replies, which may outlive the server
};

}  // namespace blobsmith::serve
