// Starts `blobsmith job` in its sandbox and listens to it.
#pragma once
#include <atomic>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace blobsmith::serve {

using Json = nlohmann::ordered_json;

/// What a job may use up.
struct JobLimits {
  uint64_t memory_bytes = uint64_t{4} << 30;
  uint64_t file_bytes = uint64_t{4} << 30;
  unsigned seconds = 600;  ///< on the clock; twice as many of processor time
};

/// The layers around a job; false: this system doesn't have it.
struct Layers {
  bool session = true, rlimits = false, no_new_privileges = false, landlock = false, seccomp = false,
       bubblewrap = false;
  /// All but bubblewrap, which containers seldom allow.
  bool complete() const { return session && rlimits && no_new_privileges && landlock && seccomp; }
  std::string list() const;  ///< "session, rlimits, ...": those that hold
};
Json to_json(const Layers& l);

struct Ended {
  int exit_code = 0;  ///< -1: see below
  int signal = 0;
  bool out_of_time = false, stopped = false;
  std::string not_started;  ///< why
};

struct Listener {
  std::function<void(const Json&)> event;
  std::function<void(bool is_error, std::string line)> line;
  std::function<bool()> stop;  ///< asked a few times a second; true kills the job
};

class Sandbox {
 public:
  /// `program`: blobsmith itself. Finds out which layers this system has.
  Sandbox(std::string program, const std::string& scratch_folder, bool bubblewrap);
  ~Sandbox();
  const Layers& layers() const { return layers_; }

  /// Runs folder/commands.json. `read`: files outside of the folder that the job reads.
  Ended run(const std::string& folder, const std::vector<std::string>& read, const JobLimits& limits,
            const Listener& listener) const;

 private:
  std::vector<std::string> words(const std::string& folder, const std::vector<std::string>& read,
                                 const JobLimits& limits) const;
  void probe(const std::string& scratch_folder);
  std::string program_;
  Layers layers_;
  std::string require_;
  int filter_ = -1;
};

/// What each attempt to get out of the sandbox came to; true: all were refused.
bool test_sandbox(const Sandbox& s, const std::string& scratch_folder,
                  std::vector<std::pair<std::string, std::string>>& results);

/// A descriptor with the system calls that a job needs, compiled. -1 where there is no seccomp.
int job_filter();

}  // namespace blobsmith::serve
