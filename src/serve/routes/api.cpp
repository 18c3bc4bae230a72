#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>

#include "blobsmith/version.hpp"
#include "serve/jobs/options.hpp"
#include "serve/jobs/submission.hpp"
#include "serve/routes/embedded.hpp"
#include "serve/routes/routes.hpp"

namespace blobsmith::serve {

namespace {

Job found(Service& s, const std::string& id) {
  auto j = s.store().find(id);
  if (!j) throw HttpError(404, "there is no job " + id.substr(0, 40));
  return std::move(*j);
}

Response problem(const Json& errors, int status) {
  const std::string message = errors.empty() ? "it failed" : errors[0].value("message", "it failed");
  return json_response({{"message", message}, {"errors", errors}}, status);
}

const char* type_of(const std::string& file) {
  const auto ends = [&](const char* e) { return file.ends_with(e); };
  if (ends(".json")) return "application/json";
  if (ends(".html")) return "text/html; charset=utf-8";
  if (ends(".zip")) return "application/zip";
  if (ends(".tar.xz")) return "application/x-xz";
  return "application/octet-stream";
}

Response file_response(Service& s, const std::string& name, const std::string& object, const Request& r) {
  if (r.header("if-none-match") == "\"" + object + "\"") return text_response("", 304);
  const auto file = s.file_of(object);
  if (!file) throw HttpError(404, name + " is gone");
  Response a;
  a.file = *file;
  a.with("Content-Type", type_of(name)).with("ETag", "\"" + object + "\"").with("X-Content-Type-Options", "nosniff");
  const bool is_page = name.ends_with(".html");
  // A page that holds names of a stranger's model gets no rights of this one's.
  if (is_page)
    a.with("Content-Security-Policy",
           "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src "
           "data:");
  if (!is_page && !name.ends_with(".json")) a.with("Content-Disposition", attachment(name));
  return a;
}

Response result_response(Service& s, const Job& j, const std::string& kind, const Request& r) {
  if (j.state == State::Failed) return problem(j.errors, 422);
  if (j.state == State::Cancelled) throw HttpError(409, "the job was cancelled");
  if (j.state != State::Done) throw HttpError(409, "the job hasn't ended");
  const Result* result = kind.empty() ? (j.results.empty() ? nullptr : &j.results[0]) : j.result(kind);
  if (!result) throw HttpError(404, "the job has no result of the kind \"" + kind.substr(0, 40) + "\"");
  return file_response(s, result->name, result->object, r);
}

/// For who waits: the report of the job's kind.
Response end_of(Service& s, const Job& j, const Request& r) {
  Response a = result_response(s, j, "report", r);
  a.with("Location", "/api/v1/jobs/" + j.id);
  return a;
}

void submit(Service& s, Request& r, const std::string& kind, const Reply& reply) {
  Job j = job_of_request(r, kind, s.store(), s.zoo());
  s.submit(j);
  const bool wait = !kind.empty() && r.header("prefer").find("respond-async") == std::string::npos;
  if (wait) {
    s.when_ended(j.id, [&s, reply](const Job& ended) {
      const Request none;
      try {
        reply(end_of(s, ended, none));
      } catch (...) {
        Request api;
        api.path = "/api/v1/jobs";
        reply(error_response(api, std::current_exception()));
      }
    });
    return;
  }
  const auto now = s.store().find(j.id);
  reply(json_response(shown(now ? *now : j), 202).with("Location", "/api/v1/jobs/" + j.id));
}

// ---- events ---------------------------------------------------------------------------------------------------------

std::string event(const char* name, const Json& data) {
  return std::string("event: ") + name + "\ndata: " + data.dump(-1, ' ', false, Json::error_handler_t::replace) +
         "\n\n";
}

/// What of a job has been sent, and the rest.
class Events {
 public:
  explicit Events(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {}

  bool show(const Job& j) {
    if (over_ || stream_->gone()) return false;
    if (!state_ || *state_ != j.state) {
      state_ = j.state;
      if (!is_end(j.state)) stream_->push(event("state", shown(j)));
    }
    // A second attempt begins its log anew.
    if (j.log.size() < lines_) lines_ = 0;
    for (; lines_ < j.log.size(); ++lines_) stream_->push(event("log", j.log[lines_]));
    if (!j.phase.empty() && (j.phase != phase_ || j.fraction != fraction_)) {
      phase_ = j.phase;
      fraction_ = j.fraction;
      stream_->push(event("progress", {{"phase", phase_}, {"fraction", fraction_}}));
    }
    if (!is_end(j.state)) return true;
    stream_->push(event("done", shown(j)));
    stream_->close();
    over_ = true;
    return false;
  }

 private:
  std::shared_ptr<Stream> stream_;
  std::optional<State> state_;
  size_t lines_ = 0;
  std::string phase_;
  double fraction_ = -1;
  bool over_ = false;
};

/// Comments now and then, so that proxies keep the line and a reader that went away is noticed.
class Pulse {
 public:
  static Pulse& one() {
    static Pulse p;
    return p;
  }
  void add(const std::shared_ptr<Stream>& s) {
    const std::lock_guard lock(mutex_);
    streams_.push_back(s);
  }

 private:
  Pulse() {
    std::thread([this] {
      for (;;) {
        std::this_thread::sleep_for(std::chrono::seconds(15));
        const std::lock_guard lock(mutex_);
        std::erase_if(streams_, [](const auto& weak) {
          const auto s = weak.lock();
          if (!s || s->gone()) return true;
          s->push(": still here\n\n");
          return false;
        });
      }
    }).detach();
  }
  std::mutex mutex_;
  std::vector<std::weak_ptr<Stream>> streams_;
};

void send_events(Service& s, const Request& r, const Reply& reply) {
  const Job j = found(s, r.captures.at(0));
  const auto stream = std::make_shared<Stream>();
  const auto events = std::make_shared<Events>(stream);
  Response a;
  a.stream = stream;
  a.with("Content-Type", "text/event-stream").with("Cache-Control", "no-store").with("X-Accel-Buffering", "no");
  // Watch first: nothing falls between the state that is read and the first change.
  s.hub().watch(j.id, [events](const Job& now) { return events->show(now); });
  if (const auto now = s.store().find(j.id)) s.hub().tell(*now);
  Pulse::one().add(stream);
  reply(std::move(a));
}

// ---- the rest -------------------------------------------------------------------------------------------------------

Json info(Service& s, bool netron, uint64_t body_bytes) {
  const ServiceOptions& o = s.options();
  Json targets = Json::array();
  for (const char* t : target_versions()) targets.push_back(t);
  const std::vector<std::string> kinds(job_kinds().begin(), job_kinds().end());
  return {{"version", version()},
          {"api", "1"},
          {"targets", targets},
          {"netron", netron},
          {"kinds", kinds},
          {"formats", formats_info()},
          {"options", options_info()},
          {"sandbox", to_json(s.sandbox().layers())},
          {"limits",
           {{"upload_bytes", body_bytes},
            {"files", 200},
            {"seconds", o.limits.seconds},
            {"memory_bytes", o.limits.memory_bytes},
            {"queue", o.queue}}}};
}

Response health(Service& s) {
  Json j{{"status", "ok"},
         {"version", version()},
         {"queued", 0},
         {"running", 0},
         {"sandbox", to_json(s.sandbox().layers())}};
  try {
    const JobStore::Counts c = s.store().counts();
    j["queued"] = c.queued;
    j["running"] = c.running;
    return json_response(j);
  } catch (const DatabaseError&) {
    j["status"] = "the database can't be reached";
    return json_response(j, 503);
  }
}

uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  uint64_t all = 0, resident = 0;
  in >> all >> resident;
  return resident * 4096;
}

Response metrics(Service& s, const Server& server) {
  std::ostringstream t;
  const auto add = [&](const char* name, const char* kind, const char* help, uint64_t value) {
    t << "# HELP blobsmith_" << name << ' ' << help << "\n# TYPE blobsmith_" << name << ' ' << kind << "\nblobsmith_"
      << name << ' ' << value << '\n';
  };
  const JobStore::Counts c = s.store().counts();
  const Service::Numbers& n = s.numbers();
  add("requests_total", "counter", "HTTP requests.", server.requests());
  add("connections", "gauge", "Open connections.", server.connections());
  add("jobs_queued", "gauge", "Jobs that wait.", static_cast<uint64_t>(c.queued));
  add("jobs_running", "gauge", "Jobs that run.", static_cast<uint64_t>(c.running));
  add("jobs_submitted_total", "counter", "Jobs that were accepted.", n.submitted);
  add("jobs_done_total", "counter", "Jobs that ended well.", n.done);
  add("jobs_failed_total", "counter", "Jobs that failed.", n.failed);
  add("jobs_cancelled_total", "counter", "Jobs that were cancelled.", n.cancelled);
  add("jobs_refused_total", "counter", "Jobs that the queue had no place for.", n.refused);
  add("cache_hits_total", "counter", "Answers from the cache.", n.from_cache);
  add("stored_bytes", "gauge", "Bytes of models and results.", s.stored_bytes());
  add("resident_bytes", "gauge", "Memory of the server without its jobs.", resident_bytes());
  return text_response(t.str(), 200, "text/plain; version=0.0.4");
}

/// docs/openapi.yaml, and what the table of options says of each kind's.
Json description() {
  Json d = yaml_to_json(std::string(openapi_yaml()));
  for (const std::string kind : job_kinds()) {
    std::string name = kind + "Options";
    name[0] = static_cast<char>(std::toupper(name[0]));
    const Json schema = options_schema(kind);
    d["components"]["schemas"][name]["properties"].update(schema);
  }
  return d;
}

std::vector<std::string> ids_of(const Request& r) {
  if (r.query_value("ids").size() > 8000) throw HttpError(400, "too many ids");
  std::istringstream in(r.query_value("ids"));
  std::vector<std::string> ids;
  for (std::string id; std::getline(in, id, ',');)
    if (!id.empty()) ids.push_back(id);
  if (ids.size() > 200) throw HttpError(400, "more than 200 ids");
  return ids;
}

Json zoo_list(Service& s) {
  Json models = Json::array();
  for (const ZooModel& m : s.zoo()->models()) {
    uint64_t bytes = 0;
    for (const ConfigFile& f : m.config.files) bytes += f.size.value_or(0);
    models.push_back({{"name", m.name},
                      {"zoo", m.zoo},
                      {"precisions", m.config.precisions()},
                      {"task", m.config.task},
                      {"description", m.config.description},
                      {"framework", m.config.framework},
                      {"license", m.config.license},
                      {"bytes", bytes},
                      {"available", s.zoo()->is_available(m)}});
  }
  return {{"models", models}};
}

}  // namespace

void add_api_routes(Server& server, Service& s, bool netron) {
  const std::string v1 = "/api/v1";
  server.route("POST", v1 + "/jobs", [&](Request& r, const Reply& reply) { submit(s, r, "", reply); });
  for (const char* kind : {"check", "inspect", "compare", "estimate"})
    server.route("POST", v1 + "/" + kind, [&s, kind](Request& r, const Reply& reply) { submit(s, r, kind, reply); });
  server.route("GET", v1 + "/jobs", [&](Request& r, const Reply& reply) {
    Json jobs = Json::array();
    for (const Job& j : s.store().find_all(ids_of(r))) jobs.push_back(shown(j));
    reply(json_response({{"jobs", jobs}}));
  });
  server.route("GET", v1 + "/jobs/*",
               [&](Request& r, const Reply& reply) { reply(json_response(shown(found(s, r.captures.at(0))))); });
  server.route("DELETE", v1 + "/jobs/*", [&](Request& r, const Reply& reply) {
    found(s, r.captures.at(0));
    const auto j = s.cancel(r.captures.at(0));
    reply(json_response(shown(j ? *j : found(s, r.captures.at(0)))));
  });
  server.route("GET", v1 + "/jobs/*/events", [&](Request& r, const Reply& reply) { send_events(s, r, reply); });
  server.route("GET", v1 + "/jobs/*/result",
               [&](Request& r, const Reply& reply) { reply(result_response(s, found(s, r.captures.at(0)), "", r)); });
  server.route("GET", v1 + "/jobs/*/results/*", [&](Request& r, const Reply& reply) {
    reply(result_response(s, found(s, r.captures.at(0)), r.captures.at(1), r));
  });
  server.route("GET", v1 + "/jobs/*/files/*", [&](Request& r, const Reply& reply) {
    const Job j = found(s, r.captures.at(0));
    const auto f = std::ranges::find(j.files, r.captures.at(1), &JobFile::name);
    if (f == j.files.end()) throw HttpError(404, "the job has no file " + r.captures.at(1).substr(0, 200));
    if (f->object.empty()) throw HttpError(409, f->name + " has not been fetched yet");
    Response a = file_response(s, f->name, f->object, r);
    std::erase_if(a.headers, [](const auto& h) { return h.first == "Content-Type"; });
    reply(std::move(a.with("Content-Type", "application/octet-stream")));
  });
  server.route("GET", v1 + "/zoo", [&](Request&, const Reply& reply) { reply(json_response(zoo_list(s))); });
  server.route("GET", v1 + "/info", [&s, netron, &server](Request&, const Reply& reply) {
    reply(json_response(info(s, netron, server.body_bytes())));
  });
  server.route("GET", v1 + "/openapi.json",
               [d = description()](Request&, const Reply& reply) { reply(json_response(d)); });
  server.route("GET", "/health", [&](Request&, const Reply& reply) { reply(health(s)); });
  server.route("GET", "/metrics", [&](Request&, const Reply& reply) { reply(metrics(s, server)); });
}

}  // namespace blobsmith::serve
