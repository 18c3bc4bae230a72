#include "serve/jobs/job.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "serve/http/message.hpp"

namespace blobsmith::serve {
namespace {

constexpr std::array<const char*, 5> kStates{"queued", "running", "done", "failed", "cancelled"};

Json of_results(const std::vector<Result>& results) {
  Json list = Json::array();
  for (const Result& r : results)
    list.push_back({{"kind", r.kind}, {"name", r.name}, {"size", r.size}, {"sha256", r.object}});
  return list;
}

}  // namespace

const char* to_string(State s) { return kStates[static_cast<size_t>(s)]; }

State state_of(const std::string& text) {
  const auto it = std::ranges::find(kStates, text);
  if (it == kStates.end()) throw std::runtime_error("no state of a job: " + text);
  return static_cast<State>(it - kStates.begin());
}

const Result* Job::result(const std::string& wanted) const {
  const auto it = std::ranges::find(results, wanted, &Result::kind);
  return it == results.end() ? nullptr : &*it;
}

bool Job::has_to_fetch() const {
  return std::ranges::any_of(files, [](const JobFile& f) { return f.object.empty(); });
}

Json plan_of(const Job& j) {
  Json files = Json::array(), commands = Json::array(), outputs = Json::array();
  for (const JobFile& f : j.files) {
    files.push_back({{"name", f.name}, {"size", f.size}, {"object", f.object}});
    if (f.fetch) files.back()["fetch"] = to_json(*f.fetch);
  }
  for (const Command& c : j.commands) commands.push_back({{"words", c.words}, {"stdout", c.output}});
  for (const Output& o : j.outputs)
    outputs.push_back({{"kind", o.kind}, {"name", o.name}, {"files", o.files}, {"optional", o.optional}});
  return {{"options", j.options}, {"files", files},     {"commands", commands}, {"command", j.shown_command},
          {"outputs", outputs},   {"key", j.cache_key}, {"fetched", j.fetched}};
}

void set_plan(Job& j, const Json& plan) {
  j.options = plan.at("options");
  j.files.clear();
  for (const Json& f : plan.at("files")) {
    j.files.push_back({f.at("name"), f.at("size"), f.at("object"), {}});
    if (f.contains("fetch")) j.files.back().fetch = wanted_of(f["fetch"]);
  }
  j.commands.clear();
  for (const Json& c : plan.at("commands")) j.commands.push_back({c.at("words"), c.at("stdout")});
  j.outputs.clear();
  for (const Json& o : plan.at("outputs"))
    j.outputs.push_back({o.at("kind"), o.at("name"), o.at("files"), o.value("optional", false)});
  j.shown_command = plan.at("command");
  j.cache_key = plan.at("key");
  j.fetched = plan.value("fetched", false);
}

Json outcome_of(const Job& j) {
  Json o{{"results", of_results(j.results)}, {"errors", j.errors}, {"log", j.log}, {"cached", j.cached}};
  if (j.failure)
    o["failure"] = {{"exit_code", j.failure->exit_code},
                    {"command", j.failure->command},
                    {"stdout", j.failure->standard_output},
                    {"stderr", j.failure->standard_error}};
  return o;
}

void set_outcome(Job& j, const Json& o) {
  j.results.clear();
  for (const Json& r : o.value("results", Json::array()))
    j.results.push_back({r.at("kind"), r.at("name"), r.at("size"), r.at("sha256")});
  j.errors = o.value("errors", Json::array());
  j.log = o.value("log", Json::array());
  j.cached = o.value("cached", false);
  if (o.contains("failure")) {
    const Json& f = o["failure"];
    j.failure = Failure{f.at("exit_code"), f.at("command"), f.at("stdout"), f.at("stderr")};
  }
}

Json shown(const Job& j) {
  const std::string place = "/api/v1/jobs/" + j.id;
  Json o{{"id", j.id}, {"kind", j.kind}, {"state", to_string(j.state)}, {"name", j.name}, {"created", j.created}};
  if (j.started > 0) o["started"] = j.started;
  if (j.finished > 0) o["finished"] = j.finished;
  if (j.state == State::Queued) o["ahead"] = j.ahead;
  o["phase"] = j.phase;
  o["fraction"] = j.fraction;
  o["cached"] = j.cached;
  o["files"] = Json::array();
  for (const JobFile& f : j.files)
    o["files"].push_back({{"name", f.name}, {"size", f.size}, {"url", place + "/files/" + percent_encoded(f.name)}});
  o["options"] = j.options;
  o["command"] = j.shown_command;
  o["results"] = of_results(j.results);
  for (Json& r : o["results"]) r["url"] = place + "/results/" + r["kind"].get<std::string>();
  o["errors"] = j.errors;
  o["log"] = j.log;
  return o;
}

std::string new_id() {
  std::array<unsigned char, 26> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("no random numbers");
  std::string s;
  for (const unsigned char b : bytes) s += "abcdefghijklmnopqrstuvwxyz234567"[b & 31];
  return s;
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line = "blobsmith";
  for (const std::string& w : words) {
    const bool plain = !w.empty() && std::ranges::all_of(w, [](unsigned char c) {
      return std::isalnum(c) || std::string_view("-_./=,:@%+").find(static_cast<char>(c)) != std::string_view::npos;
    });
    std::string quoted = w;
    if (!plain) {
      quoted = "'";
      for (const char c : w) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
      quoted += "'";
    }
    line += " " + quoted;
  }
  return line;
}

}  // namespace blobsmith::serve
