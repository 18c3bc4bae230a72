// /compile, /zoo_models, /update, /cache: what the original converter's clients use.
#include <algorithm>

#include "blobsmith/version.hpp"
#include "serve/routes/compile_request.hpp"
#include "serve/routes/routes.hpp"

namespace blobsmith::serve {
namespace {

Response file_answer(Service& s, const Result& result, const std::string& hash) {
  const auto file = s.file_of(result.object);
  if (!file) throw HttpError(410, "the result is gone");
  Response a;
  a.file = *file;
  a.with("Content-Type", result.kind == "ir" ? "application/zip" : "application/octet-stream")
      .with("Content-Disposition", attachment(result.name))
      .with("X-HASH", hash)
      .with("X-Compiler", "blobsmith " + std::string(version()))
      .with("Cache-Control", "no-cache")
      .with("ETag", "\"" + result.object + "\"");
  return a;
}

/// The original's four keys, and what its clients never knew.
Response failure_answer(const Job& j, bool old_protocol) {
  const Failure f = j.failure.value_or(Failure{-1, j.shown_command, "", ""});
  const bool not_run = f.exit_code == -1 && f.standard_output.empty() && f.standard_error.empty();
  std::string errors = f.standard_error;
  Json first = j.errors.empty() ? Json::object() : j.errors[0];
  if (errors.empty()) errors = first.value("message", "");
  Json a{
      {"exit_code", f.exit_code},
      {"message", not_run ? "Command was unable to execute, command: " + f.command
                          : "Command failed with exit code " + std::to_string(f.exit_code) + ", command: " + f.command},
      {"stderr", errors},
      {"stdout", f.standard_output},
      {"stage", f.command.starts_with("blobsmith zoo ")  ? "download"
                : f.command.starts_with("blobsmith mo ") ? "convert"
                                                         : "compile"}};
  if (j.state == State::Cancelled) a["message"] = "the job was cancelled";
  if (first.contains("layer")) a["layer"] = first["layer"];
  if (first.contains("type")) a["layer_type"] = first["type"];
  if (first.contains("code")) a["code"] = first["code"];
  if (first.contains("hint")) a["hint"] = first["hint"];
  a["errors"] = j.errors;
  return json_response(a, old_protocol ? 500 : 400);
}

Response answer(Service& s, const Job& j, const std::string& hash, bool old_protocol) {
  if (j.state == State::Done && !j.results.empty()) return file_answer(s, j.results[0], hash);
  return failure_answer(j, old_protocol);
}

Response error_as_original(const Request& r, const HttpError& e) {
  // Faults of the configuration are JSON always; so is what the original had no words for.
  if (e.code == "config" || e.code == "BS4002") {
    Json a{{"message", e.what()}};
    if (!e.hint.empty()) a["hint"] = e.hint;
    return json_response(a, e.status);
  }
  return error_response(r, std::make_exception_ptr(e));
}

void compile(Service& s, Request& r, const Reply& reply) {
  CompileRequest c;
  Job j;
  try {
    c = compile_request(r, *s.zoo());
    if (!c.no_cache && !c.dry)
      if (const auto results = s.store().cached(std::string(version()) + ":" + c.hash))
        if (!results->empty() && s.file_of(results->at(0).object)) {
          ++s.numbers().from_cache;
          return reply(file_answer(s, results->at(0), c.hash));
        }
    j = job_of(c, r, s.store(), *s.zoo());
  } catch (const HttpError& e) {
    return reply(error_as_original(r, e));
  }
  if (c.dry) {
    Json commands = Json::array();
    for (const Command& command : j.commands) commands.push_back(command_line(command.words));
    return reply(json_response(commands));
  }
  s.submit(j);
  s.when_ended(j.id, [&s, reply, hash = c.hash, old = c.old_protocol](const Job& ended) {
    try {
      reply(answer(s, ended, hash, old));
    } catch (...) {
      reply(error_response({}, std::current_exception()));
    }
  });
}

void zoo_models(Service& s, const Request& r, const Reply& reply) {
  const std::string zoo = r.query_value("zoo_type", "intel");
  if (zoo != "intel" && zoo != "depthai") throw HttpError(400, "Unknown zoo type: " + zoo.substr(0, 40));
  Json list = Json::array();
  for (const ZooModel& m : s.zoo()->models(zoo)) {
    Json types = Json::array();
    for (const std::string& p : m.config.precisions())
      if (p == "FP16" || p == "FP16-INT8") types.push_back(p);
    if (!types.empty()) list.push_back({{"name", m.name}, {"data_types", types}});
  }
  reply(json_response({{"version", "2"}, {"available", list}, {"unavailable", Json::array()}}));
}

}  // namespace

void add_converter_routes(Server& server, Service& s) {
  server.route("GET POST", "/compile", [&](Request& r, const Reply& reply) { compile(s, r, reply); });
  server.route("GET", "/zoo_models", [&](Request& r, const Reply& reply) { zoo_models(s, r, reply); });
  server.route("GET", "/update", [&](Request&, const Reply& reply) {
    s.zoo()->rescan();
    reply(json_response({{"status", "Updated"}}));
  });
  server.route("GET", "/cache/*", [&](Request& r, const Reply& reply) {
    std::string hash = r.captures.at(0);
    if (hash.ends_with(".blob")) hash.resize(hash.size() - 5);
    const auto results = s.store().cached(std::string(version()) + ":" + hash);
    if (!results || results->empty() || results->at(0).kind != "blob") throw HttpError(404, "there is no such blob");
    Response a = file_answer(s, results->at(0), hash);
    reply(std::move(a));
  });
}

}  // namespace blobsmith::serve
