// blobsmith job: what the conversion service starts for each job: it gives up all it doesn't need, then runs the verbs
// of a list as this program's command line would.
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "blobsmith/files.hpp"
#include "cli/cli.hpp"
#include "cli/confinement.hpp"
#include "cli/events.hpp"

namespace blobsmith::cli {
namespace {

using nlohmann::ordered_json;

struct JobArguments {
  Confinement confinement;
  std::string require;
  int events = -1;
};

/// Standard output goes to a file of that name until the end of the scope.
class OutputTo {
 public:
  explicit OutputTo(const std::string& file) {
    if (file.empty()) return;
    std::fflush(stdout);
    const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0) throw Error(ErrorCode::FileNotWritable, "can't write " + file);
    before_ = dup(STDOUT_FILENO);
    dup2(descriptor, STDOUT_FILENO);
    close(descriptor);
  }
  ~OutputTo() {
    std::fflush(stdout);
    if (before_ < 0) return;
    dup2(before_, STDOUT_FILENO);
    close(before_);
  }
  OutputTo(const OutputTo&) = delete;
  OutputTo& operator=(const OutputTo&) = delete;

 private:
  int before_ = -1;
};

const char* outcome(bool refused) { return refused ? "refused" : "allowed"; }

/// What a hostile model would try once it runs code of its own; the service's self-test reads the answers.
int try_to_escape(const Arguments& args) {
  const std::string what = args.empty() ? "" : args[0];
  const auto say = [&](bool refused) {
    std::printf("%s %s\n", what.c_str(), outcome(refused));
    return refused ? kDone : kInternalError;
  };
  if (what == "read") return say(open("/etc/passwd", O_RDONLY) < 0);
  if (what == "write") return say(open(args.at(1).c_str(), O_WRONLY | O_CREAT, 0644) < 0);
  if (what == "connect") return say(socket(AF_INET, SOCK_STREAM, 0) < 0);
  if (what == "fork") {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    return say(child < 0);
  }
  if (what == "exec") {
    char program[] = "/bin/true";
    char* const arguments[] = {program, nullptr};
    execv(program, arguments);
    return say(true);
  }
  if (what == "memory") {
    std::vector<std::vector<char>> eaten;
    try {
      for (int gigabytes = 0; gigabytes < 1 << 10; ++gigabytes)
        std::memset(eaten.emplace_back(1 << 30).data(), 1, 1 << 30);
    } catch (const std::bad_alloc&) {
      return say(true);
    }
    return say(false);
  }
  if (what == "fill") {
    std::FILE* f = std::fopen("filled", "wb");
    const std::vector<char> megabyte(1 << 20);
    for (int n = 0; f && n < 1 << 20; ++n)
      if (std::fwrite(megabyte.data(), 1, megabyte.size(), f) != megabyte.size()) return say(true);
    return say(!f);
  }
  if (what == "spin")
    for (volatile uint64_t n = 0;;) n = n + 1;
  if (what == "hide")  // nobody hears of its end
    for (const int end : {1, 2, 3}) close(end);
  if (what == "sleep" || what == "hide")
    for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
  if (what == "crash") __builtin_trap();
  return kUsageError;
}

int run_one(const Arguments& words) {
  if (!words.empty() && words[0] == "try") return try_to_escape({words.begin() + 1, words.end()});
  return run_verb(words);
}

int run_all(const ordered_json& commands) {
  int code = kDone, number = 0;
  for (const ordered_json& c : commands) {
    const OutputTo file(c.value("stdout", std::string()));
    code = run_one(c.at("words").get<Arguments>());
    std::fflush(stderr);
    send_event({{"command", number++}, {"exit", code}});
    if (code != kDone) break;
  }
  return code;
}

}  // namespace

int job_command(const Arguments& args) {
  CLI::App app("a job of the conversion service: verbs in a sandbox", "blobsmith job");
  JobArguments o;
  app.add_option("folder", o.confinement.folder, "the job's folder; commands.json in it is the list of verbs")
      ->required();
  app.add_option("--read", o.confinement.files, "a file outside of the folder that is read");
  app.add_option("--memory", o.confinement.memory_bytes, "bytes of address space");
  app.add_option("--file-size", o.confinement.file_bytes, "bytes of a file that is written");
  app.add_option("--seconds", o.confinement.seconds, "of processor time");
  app.add_option("--filter", o.confinement.system_call_filter, "descriptor of a compiled filter of system calls");
  app.add_option("--events", o.events, "descriptor for events as lines of JSON");
  app.add_option("--require", o.require, "layers without which nothing is read, joined by commas");
  if (const int code = parse(app, args); code >= 0) return code;
  if (o.events >= 0) send_events_to(o.events);
  if (chdir(o.confinement.folder.c_str()) != 0)
    throw Error(ErrorCode::FileNotFound, "there is no folder " + o.confinement.folder);
  const std::vector<std::string> layers = confine(o.confinement);
  send_event({{"layers", layers}});
  std::istringstream required(o.require);
  for (std::string layer; std::getline(required, layer, ',');)
    if (std::ranges::find(layers, layer) == layers.end())
      throw Error(ErrorCode::Internal, "the sandbox has no layer " + layer);
  const std::vector<uint8_t> text = load_file("commands.json", 1 << 22);
  const char* first = reinterpret_cast<const char*>(text.data());
  return run_all(ordered_json::parse(first, first + text.size()));
}

}  // namespace blobsmith::cli
