#include "serve/jobs/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kEvents = 3, kFilter = 4;
constexpr size_t kLongestLine = 1 << 16, kMostOutput = 8 << 20;

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    read = ends[0];
    write = ends[1];
  }
  ~Pipe() {
    close_write();
    if (read >= 0) close(read);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_write() {
    if (write >= 0) close(write);
    write = -1;
  }
};

/// Bytes into lines; what is too long is cut, what is too much is dropped.
class Lines {
 public:
  template <class F>
  void add(std::string_view bytes, F f) {
    taken_ += bytes.size();
    if (taken_ > kMostOutput) return;
    for (const char c : bytes) {
      if (c == '\n') {
        f(std::exchange(line_, {}));
      } else if (line_.size() < kLongestLine) {
        line_ += c;
      }
    }
  }
  template <class F>
  void end(F f) {
    if (!line_.empty()) f(std::exchange(line_, {}));
  }

 private:
  std::string line_;
  size_t taken_ = 0;
};

struct Started {
  pid_t pid = -1;
  std::string fault;
};

Started start(std::vector<std::string> words, const Pipe& out, const Pipe& err, const Pipe& events, int filter) {
  std::vector<char*> arguments;
  for (std::string& w : words) arguments.push_back(w.data());
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/local/bin:/usr/bin:/bin", language = "LC_ALL=C.UTF-8";
  std::array<char*, 3> environment{path.data(), language.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  // By way of high numbers, so that none is overwritten before it is copied.
  const std::array<std::pair<int, int>, 4> moves{
      {{out.write, 1}, {err.write, 2}, {events.write, kEvents}, {filter, kFilter}}};
  for (size_t i = 0; i < moves.size(); ++i)
    if (moves[i].first >= 0) posix_spawn_file_actions_adddup2(&actions, moves[i].first, 1000 + static_cast<int>(i));
  for (size_t i = 0; i < moves.size(); ++i)
    if (moves[i].first >= 0) {
      posix_spawn_file_actions_adddup2(&actions, 1000 + static_cast<int>(i), moves[i].second);
      posix_spawn_file_actions_addclose(&actions, 1000 + static_cast<int>(i));
    }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  Started s;
  if (const int code = posix_spawnp(&s.pid, arguments[0], &actions, &attributes, arguments.data(), environment.data());
      code != 0)
    s.fault = std::string("can't start ") + arguments[0] + ": " + std::strerror(code);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return s;
}

}  // namespace

std::string Layers::list() const {
  std::string s;
  const std::pair<const char*, bool> all[] = {
      {"session", session},   {"rlimits", rlimits}, {"no_new_privileges", no_new_privileges},
      {"landlock", landlock}, {"seccomp", seccomp}, {"bubblewrap", bubblewrap}};
  for (const auto& [name, holds] : all)
    if (holds) s += (s.empty() ? "" : ", ") + std::string(name);
  return s;
}

Json to_json(const Layers& l) {
  return {{"session", l.session},   {"rlimits", l.rlimits}, {"no_new_privileges", l.no_new_privileges},
          {"landlock", l.landlock}, {"seccomp", l.seccomp}, {"bubblewrap", l.bubblewrap}};
}

Sandbox::Sandbox(std::string program, const std::string& scratch_folder, bool bubblewrap)
    : program_(std::move(program)), filter_(job_filter()) {
  layers_.bubblewrap = bubblewrap;
  probe(scratch_folder);
  if (bubblewrap && !layers_.rlimits) {  // the job didn't even start in it
    layers_.bubblewrap = false;
    probe(scratch_folder);
  }
  for (const auto& [name, holds] :
       {std::pair("rlimits", layers_.rlimits), std::pair("no_new_privileges", layers_.no_new_privileges),
        std::pair("landlock", layers_.landlock), std::pair("seccomp", layers_.seccomp)})
    if (holds) require_ += (require_.empty() ? "" : ",") + std::string(name);
}

bool test_sandbox(const Sandbox& s, const std::string& scratch_folder,
                  std::vector<std::pair<std::string, std::string>>& results) {
  const fs::path folder = fs::path(scratch_folder) / ("try-" + std::to_string(getpid()));
  const std::string outside = scratch_folder + "/outside";
  bool safe = true;
  for (const char* what :
       {"read", "write", "connect", "fork", "exec", "memory", "fill", "spin", "sleep", "hide", "crash"}) {
    fs::create_directories(folder);
    std::ofstream(folder / "commands.json") << Json{{{"words", {"try", what, outside}}, {"stdout", ""}}};
    std::string said;
    const Ended e = s.run(folder, {}, {uint64_t{1} << 30, uint64_t{64} << 20, 2},
                          {.event = {}, .line = [&](bool, const std::string& l) { said += l; }, .stop = {}});
    const bool refused = said == std::string(what) + " refused" || e.out_of_time || e.signal != 0;
    const std::string how = e.out_of_time   ? "killed after 2 seconds"
                            : e.signal != 0 ? "killed by signal " + std::to_string(e.signal)
                            : said.empty()  ? "ended with " + std::to_string(e.exit_code)
                                            : said;
    results.emplace_back(what, how);
    safe = safe && refused && !fs::exists(outside);
    fs::remove_all(folder);
  }
  return safe;
}

Sandbox::~Sandbox() {
  if (filter_ >= 0) close(filter_);
}

void Sandbox::probe(const std::string& scratch_folder) {
  const std::string folder = scratch_folder + "/probe-" + std::to_string(getpid());
  fs::create_directories(folder);
  std::ofstream(folder + "/commands.json") << "[]";
  run(folder, {}, {},
      {.event =
           [&](const Json& e) {
             for (const Json& layer : e.value("layers", Json::array())) {
               if (layer == "rlimits") layers_.rlimits = true;
               if (layer == "no_new_privileges") layers_.no_new_privileges = true;
               if (layer == "landlock") layers_.landlock = true;
               if (layer == "seccomp") layers_.seccomp = true;
             }
           },
       .line = {},
       .stop = {}});
  fs::remove_all(folder);
}

std::vector<std::string> Sandbox::words(const std::string& folder, const std::vector<std::string>& read,
                                        const JobLimits& limits) const {
  std::vector<std::string> w;
  if (layers_.bubblewrap) {
    w = {"bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--dev", "/dev", "--bind", folder, folder};
    for (const char* p : {"/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache"})
      if (fs::exists(p)) w.insert(w.end(), {"--ro-bind", p, p});
    w.insert(w.end(), {"--ro-bind", program_, program_});
    for (const std::string& r : read) w.insert(w.end(), {"--ro-bind", r, r});
  }
  w.insert(w.end(), {program_, "job", folder, "--events", std::to_string(kEvents), "--memory",
                     std::to_string(limits.memory_bytes), "--file-size", std::to_string(limits.file_bytes), "--seconds",
                     std::to_string(2 * limits.seconds)});
  if (filter_ >= 0) w.insert(w.end(), {"--filter", std::to_string(kFilter)});
  if (!require_.empty()) w.insert(w.end(), {"--require", require_});
  for (const std::string& r : read) w.insert(w.end(), {"--read", r});
  return w;
}

Ended Sandbox::run(const std::string& folder, const std::vector<std::string>& read, const JobLimits& limits,
                   const Listener& listener) const {
  Pipe out, err, events;
  Ended ended;
  const Started s = start(words(folder, read, limits), out, err, events, filter_);
  for (Pipe* p : {&out, &err, &events}) p->close_write();
  if (!s.fault.empty()) {
    ended.exit_code = -1;
    ended.not_started = s.fault;
    return ended;
  }
  const auto deadline = Clock::now() + std::chrono::seconds(limits.seconds);
  std::array<Lines, 3> lines;
  std::array<pollfd, 3> ends{{{out.read, POLLIN, 0}, {err.read, POLLIN, 0}, {events.read, POLLIN, 0}}};
  const auto take_line = [&](size_t i, const std::string& line) {
    if (i < 2) {
      if (listener.line) listener.line(i == 1, line);
      return;
    }
    const Json e = Json::parse(line, nullptr, false);
    if (e.is_object() && listener.event) listener.event(e);
  };
  const auto kill_when_due = [&] {
    if (ended.out_of_time || ended.stopped) return;
    ended.out_of_time = Clock::now() > deadline;
    ended.stopped = !ended.out_of_time && listener.stop && listener.stop();
    if (ended.out_of_time || ended.stopped) kill(-s.pid, SIGKILL);
  };
  for (size_t open_ends = 3; open_ends > 0;) {
    poll(ends.data(), ends.size(), 100);
    for (size_t i = 0; i < ends.size(); ++i) {
      if (ends[i].revents == 0) continue;
      std::array<char, 1 << 14> buffer;
      const ssize_t n = ::read(ends[i].fd, buffer.data(), buffer.size());
      if (n > 0) {
        lines[i].add({buffer.data(), static_cast<size_t>(n)}, [&](const std::string& l) { take_line(i, l); });
      } else {
        ends[i].fd = -1;
        --open_ends;
      }
    }
    kill_when_due();
  }
  for (size_t i = 0; i < 3; ++i) lines[i].end([&](const std::string& l) { take_line(i, l); });
  int status = 0;
  // A job may close its ends and stay.
  while (waitpid(s.pid, &status, WNOHANG) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    kill_when_due();
  }
  ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ended.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  // Bubblewrap says with 128 + signal how its child ended.
  if (layers_.bubblewrap && ended.exit_code > 128 && ended.exit_code < 128 + 32 && ended.exit_code != 130) {
    ended.signal = ended.exit_code - 128;
    ended.exit_code = -1;
  }
  return ended;
}

}  // namespace blobsmith::serve
