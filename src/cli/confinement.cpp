#include "cli/confinement.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace blobsmith::cli {
namespace {

bool limit(decltype(RLIMIT_AS) what, uint64_t most) {
  if (most == 0) return true;
  const rlimit r{most, most};
  return setrlimit(what, &r) == 0;
}

bool limit_resources(const Confinement& c) {
  const bool open_files = limit(RLIMIT_NOFILE, 64);
  const rlimit none{0, 0};
  const bool core = setrlimit(RLIMIT_CORE, &none) == 0;
  return limit(RLIMIT_AS, c.memory_bytes) && limit(RLIMIT_CPU, c.seconds) && limit(RLIMIT_FSIZE, c.file_bytes) &&
         open_files && core;
}

/// All capabilities, so that root is an ordinary owner of files.
void drop_capabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  syscall(SYS_capset, &head, none);
}

// Rights of later versions than that of the header that this is compiled with (linux/landlock.h of version 2).
constexpr uint64_t kTruncate = 1ULL << 14, kDeviceControl = 1ULL << 15;
constexpr uint64_t kBindTcp = 1, kConnectTcp = 2, kScopeSockets = 1, kScopeSignals = 2;
struct Ruleset {
  uint64_t files = 0, network = 0, scoped = 0;
};

bool allow(int ruleset, const std::string& path, uint64_t rights) {
  const int place = open(path.c_str(), O_PATH | O_CLOEXEC);
  if (place < 0) return false;
  const landlock_path_beneath_attr rule{rights, place};
  const bool done = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
  close(place);
  return done;
}

bool restrict_files(const Confinement& c) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return false;
  const uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
  uint64_t write = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                   LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG;
  if (version >= 3) write |= kTruncate;
  uint64_t handled = read | write | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                     LANDLOCK_ACCESS_FS_MAKE_SYM;
  if (version >= 2) handled |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 5) handled |= kDeviceControl;
  Ruleset rules{handled};
  if (version >= 4) rules.network = kBindTcp | kConnectTcp;
  if (version >= 6) rules.scoped = kScopeSockets | kScopeSignals;
  const size_t size = version >= 6 ? sizeof rules : version >= 4 ? 16 : 8;
  const int ruleset = static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, size, 0));
  if (ruleset < 0) return false;
  bool done = allow(ruleset, c.folder, read | write);
  for (const std::string& f : c.files) done = allow(ruleset, f, LANDLOCK_ACCESS_FS_READ_FILE) && done;
  done = done && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
  close(ruleset);
  return done;
}

bool filter_system_calls(int descriptor) {
  struct stat s{};
  if (fstat(descriptor, &s) != 0 || s.st_size % static_cast<off_t>(sizeof(sock_filter)) != 0) return false;
  std::vector<sock_filter> program(static_cast<size_t>(s.st_size) / sizeof(sock_filter));
  if (program.empty() || pread(descriptor, program.data(), static_cast<size_t>(s.st_size), 0) != s.st_size)
    return false;
  close(descriptor);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

std::vector<std::string> confine(const Confinement& c) {
  std::vector<std::string> layers;
  if (limit_resources(c)) layers.emplace_back("rlimits");
  drop_capabilities();
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) layers.emplace_back("no_new_privileges");
  if (restrict_files(c)) layers.emplace_back("landlock");
  if (c.system_call_filter >= 0 && filter_system_calls(c.system_call_filter)) layers.emplace_back("seccomp");
  return layers;
}

}  // namespace blobsmith::cli
