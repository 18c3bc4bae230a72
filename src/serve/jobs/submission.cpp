#include "serve/jobs/submission.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "blobsmith/version.hpp"
#include "serve/jobs/config_files.hpp"
#include "serve/jobs/options.hpp"

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

bool is_blob_file(const std::string& name) {
  return name.ends_with(".blob") || name.ends_with(".superblob") || name.ends_with(".tar.xz");
}

std::string text_member(const Json& options, const char* name) {
  const auto it = options.find(name);
  if (it == options.end()) return "";
  if (!it->is_string()) throw HttpError(400, std::string("\"") + name + "\" is not a text", "BS4002");
  return it->get<std::string>();
}

Json options_of(const Request& r) {
  Json options = Json::object();
  const Part* json = nullptr;
  for (const Part& p : r.parts)
    if (!p.is_file && p.name == "options") json = &p;
  if (json) {
    options = Json::parse(json->value, nullptr, false);
    if (!options.is_object()) throw HttpError(400, "\"options\" is no JSON object", "BS4002");
  }
  for (const Part& p : r.parts)
    if (!p.is_file && p.name != "options" && !p.value.empty()) options[p.name] = value_of_field(p.name, p.value);
  if (const auto flag = options.find("no_cache"); flag != options.end() && !flag->is_boolean())
    throw HttpError(400, "\"no_cache\" is not true or false", "BS4002");
  return options;
}

/// Files of an earlier job instead of sent ones.
void take_from_job(Job& j, const std::string& id, JobStore& store) {
  const std::optional<Job> earlier = store.find(id);
  if (!earlier) throw HttpError(404, "there is no job " + id.substr(0, 40), "BS4002");
  const Result* blob = earlier->result("blob");
  if (!blob) blob = earlier->result("superblob");
  if (!blob) blob = earlier->result("nnarchive");
  if (j.kind == "inspect" || j.kind == "estimate" || j.kind == "compare") {
    if (!is_end(earlier->state)) throw HttpError(409, "the job " + id + " hasn't ended");
    const auto sent = std::ranges::find_if(earlier->files, [](const JobFile& f) { return is_blob_file(f.name); });
    if (blob)
      j.files.push_back({blob->name, blob->size, blob->object});
    else if (sent != earlier->files.end() && j.kind != "compare")
      j.files.push_back(*sent);
    else if (j.kind == "inspect")
      throw HttpError(409, "the job " + id + " has made no blob");
  }
  j.options.erase("zoo");
  if (j.kind == "inspect" || (j.kind == "estimate" && !j.files.empty())) return;
  for (const JobFile& f : earlier->files) j.files.push_back(f);
  if (const auto zoo = earlier->options.find("zoo"); zoo != earlier->options.end()) j.options["zoo"] = *zoo;
}

/// The model that the option "zoo" names, and its precision.
std::pair<ZooModel, std::string> zoo_model(const Json& wanted, const Zoo& zoo) {
  const Json w = wanted.is_string() ? Json{{"name", wanted}} : wanted;
  if (!w.is_object()) throw HttpError(400, "\"zoo\" is no name, and no object with one", "BS4002");
  for (const auto& [member, unused] : w.items())
    if (member != "name" && member != "zoo" && member != "precision")
      throw HttpError(400, "\"zoo\" has no member \"" + member.substr(0, 40) + "\"", "BS4002");
  const std::string name = text_member(w, "name"), precision = text_member(w, "precision");
  const auto m = zoo.find(text_member(w, "zoo"), name);
  if (!m) throw HttpError(404, "there is no model \"" + name.substr(0, 100) + "\" in the zoo", "BS1001");
  return {*m, precision.empty() ? "FP16" : precision};
}

/// How the zoo wants it converted.
OptimizerCall zoo_arguments(const ZooModel& m) {
  return m.config.framework == "dldt" ? OptimizerCall{} : optimizer_call(m.config);
}

void take_files(Job& j, Request& r, JobStore& store) {
  for (Part& p : r.parts) {
    if (!p.is_file || (p.file_name.empty() && p.size == 0)) continue;
    const std::string name = safe_file_name(p.file_name);
    if (name.empty()) throw HttpError(400, "a file has no name", "BS4002");
    if (name == "commands.json") throw HttpError(400, "a file can't be called commands.json", "BS4002");
    if (std::ranges::any_of(j.files, [&](const JobFile& f) { return f.name == name; }))
      throw HttpError(400, "two files are called " + name, "BS4002");
    j.files.push_back({name, p.size, store.keep(p.path, p.size)});
    p.path.clear();
  }
}

/// Of a file that isn't there yet; where its sum is stated, the same as when it will be.
std::string identity_of(const Wanted& w) {
  if (!w.sha256.empty()) return w.sha256;
  if (!w.sha384.empty()) return w.sha384;
  std::error_code e;
  if (w.files.empty() || !w.sources.empty()) return "";  // an address may bring anything
  std::string is;                                        // what they are like today
  for (const fs::path path : w.files)
    is += path.string() + " " + std::to_string(fs::file_size(path, e)) + " " +
          std::to_string(static_cast<int64_t>(fs::last_write_time(path, e).time_since_epoch().count())) + " ";
  return sha256_of(is);
}

std::string key_of(const Job& j) {
  if (std::ranges::any_of(j.files, [](const JobFile& f) { return f.object.empty() && identity_of(*f.fetch).empty(); }))
    return "";
  Json k{{"version", version()},
         {"commands", plan_of(j)["commands"]},
         {"outputs", plan_of(j)["outputs"]},
         {"files", Json::array()}};
  for (const JobFile& f : j.files) k["files"].push_back({f.name, f.object.empty() ? identity_of(*f.fetch) : f.object});
  return "v1-" + sha256_of(k.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

const JobFile& model_among(const std::vector<JobFile>& files) {
  const JobFile* model = nullptr;
  for (const JobFile& f : files) {
    if (!format_of(f.name)) continue;
    if (model)
      throw HttpError(400, model->name + " and " + f.name + " could both be the model", "BS4002", "name it: \"model\"");
    model = &f;
  }
  if (model) return *model;
  if (files.size() == 1) return files[0];  // told by its contents
  for (const JobFile& f : files)
    if (f.name.ends_with(".prototxt") || f.name.ends_with("-symbol.json"))
      throw HttpError(400, f.name + " came without its weights", "BS1008",
                      "send the .caffemodel or .params file as well");
  throw HttpError(400, "none of the files is a model", "BS1007",
                  "send the model: .onnx, .xml, .pb, .tflite, .h5, .caffemodel ..., or a .zip of its files");
}

void rename_beside(std::vector<JobFile>& files, const std::string& model) {
  const FormatRow* format = format_of(model);
  if (!format) return;
  const std::string stem = stem_of(model), name = format->name;
  const char* ending = name == "OpenVINO IR" ? ".bin" : name == "Caffe" ? ".prototxt" : nullptr;
  if (!ending) return;
  JobFile* other = nullptr;
  for (JobFile& f : files)
    if (f.name.ends_with(ending)) {
      if (f.name == stem + ending || other) return;
      other = &f;
    }
  if (other) other->name = stem + ending;
}

void plan(Job& j, const std::string& model, const std::string& blob, const OptimizerCall& zoo) {
  std::vector<std::string> words = option_words(j.kind, j.options);
  j.name = stem_of(model);
  std::vector<std::string> command{j.kind, model};
  const auto at = [&](const char* flag) { return std::ranges::find(words, flag); };
  const auto has = [&](const char* flag) { return at(flag) != words.end(); };
  // Of the words of a flag that names a file the plan's own name.
  const auto name_file = [&](const char* flag, const std::string& file) { *std::next(at(flag)) = file; };
  if (zoo.needs_optimizer) {
    j.commands.push_back({optimizer_command(zoo, model, j.name), ""});
    command[1] = "ir/" + j.name + ".xml";
  } else {
    words.insert(words.begin(), zoo.words.begin(), zoo.words.end());
  }
  if (j.kind == "convert") {
    const bool archive = has("--nn-archive"), superblob = has("--superblob");
    const std::string kind = archive ? "nnarchive" : superblob ? "superblob" : "blob";
    const std::string file = j.name + (archive ? ".rvc2.tar.xz" : superblob ? ".superblob" : ".blob");
    command.insert(command.end(), {"-o", file});
    j.outputs.push_back({kind, file, {file}});
    if (has("--ir")) {
      // Into a folder of its own: an IR that was sent has the same names.
      name_file("--ir", "ir");
      if (zoo.needs_optimizer) words.erase(at("--ir"), std::next(at("--ir"), 2));
      j.outputs.push_back({"ir", j.name + ".zip", {"ir/" + j.name + ".xml", "ir/" + j.name + ".bin"}});
    }
    if (has("--json-config")) {
      name_file("--json-config", j.name + ".json");
      j.outputs.push_back({"json_config", j.name + ".json", {j.name + ".json"}});
    }
    if (has("--cut-unsupported"))
      for (const char* side : {"before", "after"}) {
        const std::string part = j.name + "." + side;
        j.outputs.push_back({side, part + ".onnx", {part + ".onnx"}, true});
        j.outputs.push_back({side, part + ".zip", {part + ".xml", part + ".bin"}, true});
      }
  }
  if (j.kind == "inspect" && has("--shaves")) {
    const std::string file = j.name + "." + *std::next(at("--shaves")) + "shave.blob";
    words.insert(words.end(), {"--extract", file});
    j.outputs.push_back({"blob", file, {file}});
  }
  if (!blob.empty()) command.push_back(blob);
  command.insert(command.end(), words.begin(), words.end());
  if (const auto html = std::ranges::find(command, "--html"); html != command.end()) {
    command.insert(std::next(html), j.name + ".html");
    j.outputs.push_back({"html", j.name + ".html", {j.name + ".html"}});
  }
  for (const Command& c : j.commands) j.shown_command += command_line(c.words) + " && ";
  j.shown_command += command_line(command);
  if (j.kind == "convert" && j.outputs[0].kind == "blob") {  // of the page's view of a blob
    command.insert(command.end(), {"--layers", "layers.json"});
    j.outputs.push_back({"layers", j.name + ".layers.json", {"layers.json"}});
  }
  command.emplace_back("--json");
  j.commands.push_back({command, "report.json"});
  j.outputs.push_back({"report", j.name + "." + j.kind + ".json", {"report.json"}});
  j.cache_key = key_of(j);
}

Job job_of_request(Request& r, std::string kind, JobStore& store, const Zoo* zoo) {
  const std::string type = r.header("content-type");
  if (!type.starts_with("multipart/form-data") && !type.starts_with("application/x-www-form-urlencoded"))
    throw HttpError(415, "the request is no form", "BS4002", "send multipart/form-data: curl -F file=@model.onnx");
  Job j;
  j.options = options_of(r);
  const std::string asked = j.options.contains("kind") ? text_member(j.options, "kind") : kind;
  if (j.options.contains("kind") && std::ranges::find(job_kinds(), asked) == job_kinds().end())
    throw HttpError(400, "there is no kind \"" + asked.substr(0, 40) + "\"", "BS4002",
                    "convert, check, inspect, compare or estimate");
  if (!kind.empty() && asked != kind)
    throw HttpError(400, "this address is for the kind \"" + kind + "\", not \"" + asked + "\"", "BS4002");
  j.kind = asked.empty() ? "convert" : asked;
  option_words(j.kind, j.options);  // before anything is kept
  j.id = new_id();
  std::string model = text_member(j.options, "model"), blob = text_member(j.options, "blob");
  OptimizerCall call;
  if (j.options.contains("job")) {
    take_from_job(j, text_member(j.options, "job"), store);
    if (j.options.contains("zoo")) call = zoo_arguments(zoo_model(j.options["zoo"], *zoo).first);
  } else if (j.options.contains("zoo")) {
    const auto [m, precision] = zoo_model(j.options["zoo"], *zoo);
    take_config_files(m.config, m.name, precision, m.folder, *zoo, store, j.files);
    call = zoo_arguments(m);
  }
  if (model.empty()) model = call.model;
  take_files(j, r, store);
  if (j.files.empty()) throw HttpError(400, "no file was sent", "BS4002", "curl -F file=@model.onnx");
  const auto has = [&](const std::string& name) {
    return std::ranges::any_of(j.files, [&](const JobFile& f) { return f.name == name; });
  };
  if (j.kind == "compare" && blob.empty()) {
    const auto it = std::ranges::find_if(j.files, [](const JobFile& f) { return is_blob_file(f.name); });
    if (it != j.files.end()) blob = it->name;
  }
  if (model.empty() && (j.kind == "inspect" || j.kind == "estimate"))
    if (const auto it = std::ranges::find_if(j.files, [](const JobFile& f) { return is_blob_file(f.name); });
        it != j.files.end())
      model = it->name;
  if (model.empty()) {
    std::vector<JobFile> others = j.files;
    std::erase_if(others, [&](const JobFile& f) { return f.name == blob; });
    if (others.empty()) throw HttpError(400, "the model is missing: only a blob was sent", "BS4002");
    model = model_among(others).name;
  }
  for (const std::string* name : {&model, &blob})
    if (!name->empty() && !has(*name)) throw HttpError(404, "no file is called " + name->substr(0, 200), "BS4002");
  rename_beside(j.files, model);
  plan(j, model, blob, call);
  if (!j.options.value("no_cache", false))
    if (auto results = store.cached(j.cache_key)) {
      j.results = std::move(*results);
      j.state = State::Done;
      j.fraction = 1;
      j.cached = true;
      j.finished = 1;
    }
  return j;
}

}  // namespace blobsmith::serve
