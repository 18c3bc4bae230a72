// A job: what it is asked, and what has become of it.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "serve/zoo/download.hpp"

namespace blobsmith::serve {

using Json = nlohmann::ordered_json;

struct JobFile {
  std::string name;  ///< in the job's folder
  uint64_t size = 0;
  std::string object;                          ///< in Objects; empty: it has to be fetched first
  std::optional<Wanted> fetch = std::nullopt;  ///< from where
};

struct Command {
  std::vector<std::string> words;  ///< verb and arguments
  std::string output;              ///< file for what it prints; empty: the log
};

/// A file that the commands make, or several that become a zip.
struct Output {
  std::string kind;  ///< ResultKind of docs/openapi.yaml
  std::string name;
  std::vector<std::string> files;
  bool optional = false;  ///< there may be none
};

struct Result {
  std::string kind, name;
  uint64_t size = 0;
  std::string object;  ///< sha256 of the contents
};

/// Of the command that failed, as the original converter's answers have it.
struct Failure {
  int exit_code = 0;
  std::string command, standard_output, standard_error;
};

enum class State { Queued, Running, Done, Failed, Cancelled };
const char* to_string(State s);
State state_of(const std::string& text);
inline bool is_end(State s) { return s != State::Queued && s != State::Running; }

struct Job {
  std::string id, kind, name;
  Json options = Json::object();  ///< as they were sent
  std::vector<JobFile> files;
  std::vector<Command> commands;
  std::string shown_command;  ///< the same for a user's own machine
  std::vector<Output> outputs;
  bool fetched = false;   ///< files were, in a stage before the commands
  std::string cache_key;  ///< under which the results are found by the next who asks; empty: not

  State state = State::Queued;
  double created = 0, started = 0, finished = 0;  ///< seconds since 1970; 0: not yet
  std::string phase;
  double fraction = 0;
  bool cached = false;
  std::vector<Result> results;
  Json errors = Json::array(), log = Json::array();
  std::optional<Failure> failure;
  int attempts = 0;
  int ahead = 0;  ///< in the queue

  const Result* result(const std::string& kind) const;
  bool has_to_fetch() const;
};

/// What doesn't change after the job is taken, and what does.
Json plan_of(const Job& j);
Json outcome_of(const Job& j);
void set_plan(Job& j, const Json& plan);
void set_outcome(Job& j, const Json& outcome);

/// As docs/openapi.yaml has it.
Json shown(const Job& j);

/// 26 letters and digits that nobody can guess.
std::string new_id();
/// The program with these words, as a line for a shell.
std::string command_line(const std::vector<std::string>& words);

}  // namespace blobsmith::serve
