// blobsmith serve, worker and zoo: a program of its own beside this one, so that its libraries (HTTP, databases, YAML)
// cost the other verbs nothing.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/cli.hpp"
#include "cli/progress.hpp"

namespace blobsmith::cli {
namespace {

namespace fs = std::filesystem;

fs::path find_server() {
  std::error_code e;
  const fs::path self = fs::read_symlink("/proc/self/exe", e);
  const fs::path folder = self.parent_path();
  for (const fs::path& p : {folder / "blobsmith-server", folder / "../libexec/blobsmith/blobsmith-server"})
    if (fs::exists(p, e)) return fs::weakly_canonical(p, e);
  throw Error(ErrorCode::FileNotFound,
              "the conversion service (serve, worker, zoo) is not installed: there is no blobsmith-server beside " +
                  self.string())
      .hint(
          "the program as a single file comes without it; the tarball, the .deb and the Python wheels have it; of "
          "blobsmith's sources \"make build\" makes both, \"cmake --install build\" installs them");
}

int become_server(const char* verb, const Arguments& args) {
  const std::string program = find_server();
  std::vector<std::string> words{program, verb};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<char*> pointers;
  for (std::string& w : words) pointers.push_back(w.data());
  pointers.push_back(nullptr);
  release_interrupts();
  execv(program.c_str(), pointers.data());
  throw Error(ErrorCode::FileNotReadable, "can't start " + program);
}

}  // namespace

int serve_command(const Arguments& args) { return become_server("serve", args); }
int worker_command(const Arguments& args) { return become_server("worker", args); }
int zoo_command(const Arguments& args) { return become_server("zoo", args); }

}  // namespace blobsmith::cli
