#include "serve/http/server.hpp"

#include <fcntl.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

#include "core/text.hpp"
#include "serve/http/guard.hpp"

namespace blobsmith::serve {
namespace {

constexpr size_t kMostParts = 200, kMostValueBytes = 4 << 20, kMostBodyBytes = 4 << 20;

}  // namespace

struct Stream::Impl {
  std::mutex mutex;
  std::string waiting;
  bool closed = false, gone = false;
  MHD_Connection* suspended = nullptr;

  void wake() {
    if (suspended) MHD_resume_connection(std::exchange(suspended, nullptr));
  }
};

Stream::Stream() : impl_(std::make_unique<Impl>()) {}
Stream::~Stream() = default;

void Stream::push(std::string_view text) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->gone || impl_->closed) return;
  impl_->waiting += text;
  impl_->wake();
}

void Stream::close() {
  const std::lock_guard lock(impl_->mutex);
  impl_->closed = true;
  impl_->wake();
}

bool Stream::gone() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->gone;
}

namespace http {

using Clock = std::chrono::steady_clock;

struct Route {
  std::set<std::string> methods;
  std::vector<std::string> parts;
  Handler handler;
};

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  for (size_t at = 1; at <= path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    parts.emplace_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

bool fits(const Route& r, const std::vector<std::string>& path, std::vector<std::string>& captures) {
  captures.clear();
  for (size_t i = 0; i < r.parts.size(); ++i) {
    if (r.parts[i] == "**") {
      std::string rest;
      for (size_t k = i; k < path.size(); ++k) rest += (k == i ? "" : "/") + path[k];
      captures.push_back(rest);
      return true;
    }
    if (i >= path.size()) return false;
    if (r.parts[i] == "*" && !path[i].empty())
      captures.push_back(path[i]);
    else if (r.parts[i] != path[i])
      return false;
  }
  return path.size() == r.parts.size();
}

/// A connection from accept to close; it may carry several requests.
struct Connection {
  int socket = -1;
  Clock::time_point since{};
  unsigned most_seconds = 0;  ///< that the request may take to arrive; 0: it has
};

/// One request and its answer.
struct Exchange {
  Server::Impl* server = nullptr;
  MHD_Connection* native = nullptr;
  Connection* connection = nullptr;
  Request request;
  MHD_PostProcessor* form = nullptr;
  bool is_form = false, dispatched = false;
  uint64_t received = 0;
  int refused = 0;  ///< the status that the body has earned; the rest of it is dropped
  std::string why;
  int file = -1;  ///< of the part that comes in

  std::mutex mutex;  ///< of what follows
  bool answered = false, suspended = false, ended = false;
  Response response;

  void refuse(int status, std::string text) {
    if (refused) return;
    refused = status;
    why = std::move(text);
  }
  void close_file() {
    if (file >= 0) close(file);
    file = -1;
  }
  ~Exchange() {
    if (form) MHD_destroy_post_processor(form);
    close_file();
  }
};

using ExchangePointer = std::shared_ptr<Exchange>;

/// What MHD reads a stream through.
struct StreamReader {
  std::shared_ptr<Stream> stream;
  MHD_Connection* native;
};

ssize_t read_stream(void* user, uint64_t, char* to, size_t most) {
  auto& reader = *static_cast<StreamReader*>(user);
  Stream::Impl& s = reader.stream->impl();
  const std::lock_guard lock(s.mutex);
  if (s.waiting.empty()) {
    if (s.closed) return MHD_CONTENT_READER_END_OF_STREAM;
    s.suspended = reader.native;
    MHD_suspend_connection(reader.native);
    return 0;
  }
  const size_t n = std::min(most, s.waiting.size());
  std::memcpy(to, s.waiting.data(), n);
  s.waiting.erase(0, n);
  return static_cast<ssize_t>(n);
}

void forget_stream(void* user) {
  auto* reader = static_cast<StreamReader*>(user);
  {
    Stream::Impl& s = reader->stream->impl();
    const std::lock_guard lock(s.mutex);
    s.gone = true;
    s.suspended = nullptr;
  }
  delete reader;
}

MHD_Response* native_response(Response& r, MHD_Connection* connection) {
  if (r.stream)
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1 << 12, &read_stream,
                                             new StreamReader{r.stream, connection}, &forget_stream);
  if (!r.file.empty()) {
    const int file = open(r.file.c_str(), O_RDONLY | O_CLOEXEC);
    const off_t size = file < 0 ? -1 : lseek(file, 0, SEEK_END);
    if (size >= 0) return MHD_create_response_from_fd64(static_cast<uint64_t>(size), file);
    if (file >= 0) close(file);
    r = json_response({{"message", "the file is gone"}}, 404);
  }
  if (!r.constant.empty())
    return MHD_create_response_from_buffer(r.constant.size(), const_cast<char*>(r.constant.data()),
                                           MHD_RESPMEM_PERSISTENT);
  return MHD_create_response_from_buffer(r.body.size(), r.body.data(), MHD_RESPMEM_MUST_COPY);
}

MHD_Result send(Exchange& x) {
  MHD_Response* m = native_response(x.response, x.native);
  for (const auto& [name, value] : x.response.headers) MHD_add_response_header(m, name.c_str(), value.c_str());
  const MHD_Result done = MHD_queue_response(x.native, static_cast<unsigned>(x.response.status), m);
  MHD_destroy_response(m);
  return done;
}

std::string names(std::set<std::string> methods) {
  if (methods.contains("GET")) methods.insert("HEAD");
  methods.insert("OPTIONS");
  std::string list;
  for (const std::string& m : methods) list += (list.empty() ? "" : ", ") + m;
  return list;
}

}  // namespace http

using namespace http;

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  explicit Impl(ServerOptions o) : options(std::move(o)), guard(options.address, options.hosts) {}

  ServerOptions options;
  Guard guard;
  std::vector<Route> routes;
  std::function<Response(const Request&, std::exception_ptr)> on_error;
  MHD_Daemon* daemon = nullptr;
  std::atomic<uint64_t> requests = 0, uploads = 0;
  std::atomic<int> open_requests = 0;  ///< begun, their answers not yet sent

  std::mutex mutex;  ///< of what follows
  std::condition_variable more, stop_asked;
  std::deque<std::pair<ExchangePointer, const Route*>> queue;
  std::set<Connection*> connections;
  std::vector<std::weak_ptr<Stream>> streams;
  std::set<ExchangePointer> waiting;  ///< for an answer
  bool stopping = false;
  std::vector<std::thread> threads;

  void answer(const ExchangePointer& x, Response r) {
    {
      const std::lock_guard lock(mutex);
      waiting.erase(x);
      if (r.stream) {
        std::erase_if(streams, [](const auto& s) { return s.expired(); });
        streams.push_back(r.stream);
        if (stopping) r.stream->close();
      }
    }
    const std::lock_guard lock(x->mutex);
    if (x->answered) return;
    x->answered = true;
    x->response = std::move(r);
    if (x->suspended && !x->ended) MHD_resume_connection(x->native);
    x->suspended = false;
  }

  const Route* find(Request& r, std::set<std::string>& allowed) const {
    const std::vector<std::string> path = split_path(r.path);
    const std::string method = r.method == "HEAD" ? "GET" : r.method;
    for (const Route& route : routes) {
      std::vector<std::string> captures;
      if (route.parts[0] == "**" && !allowed.empty()) break;  // another route has this path, for other methods
      if (!fits(route, path, captures)) continue;
      allowed.insert(route.methods.begin(), route.methods.end());
      if (!route.methods.contains(method)) continue;
      r.captures = std::move(captures);
      return &route;
    }
    return nullptr;
  }

  void run(Exchange& x, const Route* route, const std::set<std::string>& allowed, const Reply& reply) const {
    try {
      if (x.refused) throw HttpError(x.refused, x.why);
      if (!is_utf8(x.request)) throw HttpError(400, "a name or a value of the request is not UTF-8");
      if (route) return route->handler(x.request, reply);
      if (allowed.empty()) throw HttpError(404, "there is nothing at " + x.request.path);
      if (x.request.method == "OPTIONS") return reply(text_response("").with("Allow", names(allowed)));
      HttpError e(405, "the method " + x.request.method + " is not allowed for " + x.request.path);
      e.headers = {{"Allow", names(allowed)}};
      throw e;
    } catch (...) {
      reply(on_error(x.request, std::current_exception()));
    }
  }

  // ---- bodies ------------------------------------------------------------------------------------------------------

  /// A new part, unless MHD only goes on with one of which nothing has come yet.
  bool begin_part(Exchange& x, const std::string& name, const char* file_name) {
    std::vector<Part>& parts = x.request.parts;
    if (!parts.empty() && parts.back().size == 0 && parts.back().value.empty() && parts.back().name == name &&
        parts.back().is_file == (file_name != nullptr) && (!file_name || parts.back().file_name == file_name))
      return true;
    x.close_file();
    if (parts.size() >= kMostParts) {
      x.refuse(400, "the form has too many parts");
      return false;
    }
    Part& p = parts.emplace_back();
    p.name = name;
    p.is_file = file_name != nullptr;
    if (!p.is_file) return true;
    p.file_name = file_name;
    p.path = options.upload_folder + "/" + std::to_string(getpid()) + "-" + std::to_string(++uploads);
    x.file = open(p.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (x.file < 0) x.refuse(507, "no file can be made for the upload");
    return x.file >= 0;
  }

  static MHD_Result take_part(void* user, MHD_ValueKind, const char* key, const char* file_name, const char*,
                              const char*, const char* data, uint64_t offset, size_t size) {
    auto& x = *static_cast<Exchange*>(user);
    if (x.refused || (offset == 0 && !x.server->begin_part(x, key ? key : "", file_name))) return MHD_YES;
    if (x.request.parts.empty()) return MHD_NO;
    Part& p = x.request.parts.back();
    if (!p.is_file) {
      p.value.append(data, size);
      if (p.value.size() > kMostValueBytes) x.refuse(413, "the field \"" + p.name + "\" is too large");
      return MHD_YES;
    }
    for (size_t done = 0; done < size;) {
      const ssize_t n = write(x.file, data + done, size - done);
      if (n <= 0) {
        x.refuse(507, "the disk is full");
        return MHD_YES;
      }
      done += static_cast<size_t>(n);
    }
    p.size += size;
    return MHD_YES;
  }

  void take_headers(Exchange& x) const {
    Request& r = x.request;
    const auto collect = [](void* user, MHD_ValueKind, const char* key, const char* value) {
      static_cast<Fields*>(user)->emplace_back(key, value ? value : "");
      return MHD_YES;
    };
    Fields headers;
    MHD_get_connection_values(x.native, MHD_HEADER_KIND, collect, &headers);
    for (const auto& [name, value] : headers) r.headers[lower_case(name)] = value;
    MHD_get_connection_values(x.native, MHD_GET_ARGUMENT_KIND, collect, &r.query);
    const std::string type = r.header("content-type"), length = r.header("content-length");
    x.is_form = type.starts_with("multipart/form-data") || type.starts_with("application/x-www-form-urlencoded");
    if (const auto [status, why] = guard.refusal(r); status != 0) x.refuse(status, why);
    if (length.size() > 18 || std::strtoull(length.c_str(), nullptr, 10) > options.body_bytes) refuse_large(x);
  }

  void refuse_large(Exchange& x) const {
    x.refuse(413, "the body is larger than " + std::to_string(options.body_bytes) + " bytes");
  }

  void take_body(Exchange& x, const char* data, size_t size) {
    x.received += size;
    if (x.received > options.body_bytes) refuse_large(x);
    if (x.refused) return;
    if (!x.is_form) {
      if (x.received > kMostBodyBytes) return x.refuse(413, "the body is too large for what is no form");
      x.request.body.append(data, size);
      return;
    }
    if (!x.form) x.form = MHD_create_post_processor(x.native, 1 << 16, &take_part, &x);
    if (!x.form) return x.refuse(400, "the form can't be read: its boundary is missing or too short");
    if (MHD_post_process(x.form, data, size) != MHD_YES) x.refuse(400, "the form is malformed");
  }

  void end_body(Exchange& x) {
    if (x.form && MHD_destroy_post_processor(std::exchange(x.form, nullptr)) != MHD_YES)
      x.refuse(400, "the form is not complete");
    x.close_file();
  }

  // ---- MHD's callbacks ---------------------------------------------------------------------------------------------

  void set_time(Connection* c, unsigned most_seconds) {
    if (!c) return;
    const std::lock_guard lock(mutex);
    c->since = Clock::now();
    c->most_seconds = most_seconds;
  }

  MHD_Result access(MHD_Connection* native, const char* method, const char* url, const char* data, size_t* size,
                    void** user) {
    auto* pointer = static_cast<ExchangePointer*>(*user);
    if (!pointer) {
      ++open_requests;
      *user = pointer = new ExchangePointer(std::make_shared<Exchange>());
      Exchange& x = **pointer;
      x.server = this;
      x.native = native;
      x.request.method = method;
      x.request.path = url;
      const MHD_ConnectionInfo* info = MHD_get_connection_info(native, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
      x.connection = info ? static_cast<Connection*>(info->socket_context) : nullptr;
      set_time(x.connection, options.body_seconds);
      ++requests;
      take_headers(x);
      return x.refused ? dispatch(*pointer) : MHD_YES;  // a body that is known to be too large is not waited for
    }
    Exchange& x = **pointer;
    if (*size > 0) {
      if (!x.dispatched) take_body(x, data, *size);
      *size = 0;
      return MHD_YES;
    }
    if (!x.dispatched) {
      end_body(x);
      return dispatch(*pointer);
    }
    const std::lock_guard lock(x.mutex);
    return x.answered ? send(x) : MHD_YES;
  }

  /// To the handlers' threads, while the connection waits.
  MHD_Result dispatch(const ExchangePointer& x) {
    x->dispatched = true;
    set_time(x->connection, 0);
    std::set<std::string> allowed;
    const Route* route = find(x->request, allowed);
    if (x->refused || !route) {
      run(*x, route, allowed, Reply([&](Response r) { answer(x, std::move(r)); }));
      return send(*x);
    }
    {
      const std::lock_guard lock(x->mutex);
      x->suspended = true;
      MHD_suspend_connection(x->native);
    }
    const std::lock_guard lock(mutex);
    waiting.insert(x);
    queue.emplace_back(x, route);
    more.notify_one();
    return MHD_YES;
  }

  void handle_requests() {
    for (;;) {
      std::unique_lock lock(mutex);
      more.wait(lock, [&] { return stopping || !queue.empty(); });
      if (queue.empty()) return;
      const auto [x, route] = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      run(*x, route, {}, Reply([self = shared_from_this(), x = x](Response r) { self->answer(x, std::move(r)); }));
    }
  }

  /// Ends connections on which a request takes too long to arrive, byte after byte.
  void watch_times() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      stop_asked.wait_for(lock, std::chrono::seconds(1));
      const auto now = Clock::now();
      for (const Connection* c : connections)
        if (c->most_seconds != 0 && now - c->since > std::chrono::seconds(c->most_seconds))
          shutdown(c->socket, SHUT_RDWR);
    }
  }

  static MHD_Result on_access(void* self, MHD_Connection* native, const char* url, const char* method, const char*,
                              const char* data, size_t* size, void** user) {
    return static_cast<Impl*>(self)->access(native, method, url, data, size, user);
  }

  static void on_completed(void* self, MHD_Connection*, void** user, MHD_RequestTerminationCode) {
    auto* pointer = static_cast<ExchangePointer*>(*user);
    if (!pointer) return;
    {
      const std::lock_guard lock((*pointer)->mutex);
      (*pointer)->ended = true;
    }
    auto* impl = static_cast<Impl*>(self);
    impl->set_time((*pointer)->connection, impl->options.header_seconds);
    delete pointer;
    *user = nullptr;
    --impl->open_requests;
  }

  static void on_connection(void* self, MHD_Connection* native, void** context, MHD_ConnectionNotificationCode what) {
    auto* impl = static_cast<Impl*>(self);
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
      auto* c = new Connection;
      c->socket = MHD_get_connection_info(native, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
      c->since = Clock::now();
      c->most_seconds = impl->options.header_seconds;
      *context = c;
      const std::lock_guard lock(impl->mutex);
      impl->connections.insert(c);
    } else {
      auto* c = static_cast<Connection*>(*context);
      {
        const std::lock_guard lock(impl->mutex);
        impl->connections.erase(c);
      }
      delete c;
      *context = nullptr;
    }
  }
};

Server::Server(ServerOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}
Server::~Server() { stop(); }

void Server::route(const std::string& methods, const std::string& path, Handler handler) {
  std::istringstream words(methods);
  Route r{{}, split_path(path), std::move(handler)};
  for (std::string m; words >> m;) r.methods.insert(m);
  impl_->routes.push_back(std::move(r));
}

void Server::on_error(std::function<Response(const Request&, std::exception_ptr)> f) { impl_->on_error = std::move(f); }

void Server::start() {
  const ServerOptions& o = impl_->options;
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  if (getaddrinfo(o.address.c_str(), std::to_string(o.port).c_str(), &hints, &found) != 0)
    throw std::runtime_error("the address " + o.address + " is not known");
  const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME |
                         (found->ai_family == AF_INET6 ? unsigned{MHD_USE_DUAL_STACK} : 0);
  impl_->daemon = MHD_start_daemon(
      flags, static_cast<uint16_t>(o.port), nullptr, nullptr, &Impl::on_access, impl_.get(), MHD_OPTION_SOCK_ADDR,
      found->ai_addr, MHD_OPTION_THREAD_POOL_SIZE, 2U, MHD_OPTION_CONNECTION_LIMIT, o.connections,
      MHD_OPTION_PER_IP_CONNECTION_LIMIT, o.connections_of_one_address, MHD_OPTION_CONNECTION_TIMEOUT, o.idle_seconds,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, size_t{1} << 15, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
      MHD_OPTION_NOTIFY_COMPLETED, &Impl::on_completed, impl_.get(), MHD_OPTION_NOTIFY_CONNECTION, &Impl::on_connection,
      impl_.get(), MHD_OPTION_END);
  freeaddrinfo(found);
  if (!impl_->daemon)
    throw std::runtime_error("port " + std::to_string(o.port) + " of " + o.address + " can't be listened on");
  for (int i = 0; i < o.handlers; ++i) impl_->threads.emplace_back([this] { impl_->handle_requests(); });
  impl_->threads.emplace_back([this] { impl_->watch_times(); });
}

void Server::stop() {
  if (!impl_->daemon) return;
  const MHD_socket listening = MHD_quiesce_daemon(impl_->daemon);
  std::vector<ExchangePointer> waiting;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    waiting.assign(impl_->waiting.begin(), impl_->waiting.end());
    for (const auto& weak : impl_->streams)
      if (const auto s = weak.lock()) s->close();
  }
  impl_->more.notify_all();
  impl_->stop_asked.notify_all();
  for (const ExchangePointer& x : waiting)
    impl_->answer(
        x, json_response({{"message", "the server is being stopped; the job goes on when it is started again"}}, 503));
  for (std::thread& t : impl_->threads) t.join();
  const auto deadline = Clock::now() + std::chrono::seconds(2);  // for the last answers to be sent
  while (impl_->open_requests > 0 && Clock::now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  MHD_stop_daemon(std::exchange(impl_->daemon, nullptr));
  if (listening != MHD_INVALID_SOCKET) close(listening);
}

int Server::port() const {
  const MHD_DaemonInfo* info = MHD_get_daemon_info(impl_->daemon, MHD_DAEMON_INFO_BIND_PORT);
  return info ? info->port : impl_->options.port;
}

unsigned Server::connections() const {
  const std::lock_guard lock(impl_->mutex);
  return static_cast<unsigned>(impl_->connections.size());
}
uint64_t Server::body_bytes() const { return impl_->options.body_bytes; }
uint64_t Server::requests() const { return impl_->requests; }

}  // namespace blobsmith::serve
