#include "serve/jobs/submission.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "blobsmith/version.hpp"
#include "serve/jobs/config_files.hpp"
#include "serve/jobs/options.hpp"

namespace blobsmith::serve {
namespace {

constexpr std::array<const char*, 5> kKinds{"convert", "check", "inspect", "compare", "estimate"};

bool is_blob_file(const std::string& name) {
  return name.ends_with(".blob") || name.ends_with(".superblob") || name.ends_with(".tar.xz") ||
         name.ends_with(".tar.gz") || name.ends_with(".tar");
}

std::string text_member(const Json& options, const char* name) {
  const auto it = options.find(name);
  if (it == options.end() || it->is_null()) return "";
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
    if (!p.is_file && p.name != "options") options[p.name] = p.value;
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
  Json w = wanted.is_string() ? Json::parse(wanted.get<std::string>(), nullptr, false) : wanted;
  if (w.is_discarded()) w = {{"name", wanted}};
  if (!w.is_object()) throw HttpError(400, "\"zoo\" is no object with a name", "BS4002");
  const std::string name = text_member(w, "name"), precision = text_member(w, "precision");
  const auto m = zoo.find(text_member(w, "zoo"), name);
  if (!m) throw HttpError(404, "there is no model \"" + name.substr(0, 100) + "\" in the zoo", "BS1001");
  return {*m, precision.empty() ? "FP16" : precision};
}

/// How the zoo wants it converted.
void take_zoo_arguments(const ZooModel& m, std::string& model, std::vector<std::string>& arguments) {
  if (m.config.framework == "dldt") return;
  const OptimizerCall call = optimizer_call(m.config);
  if (call.needs_optimizer)
    throw HttpError(400, "not yet supported: " + m.name + " has arguments that only mo takes", "BS2004",
                    "use /compile, or blobsmith mo");
  model = call.model;
  arguments = call.words;
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

std::string key_of(const Job& j) {
  Json k{{"version", version()},
         {"commands", plan_of(j)["commands"]},
         {"outputs", plan_of(j)["outputs"]},
         {"files", Json::array()}};
  for (const JobFile& f : j.files) k["files"].push_back({f.name, f.object});
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
                  "send the model: .onnx, .xml, .pb, .tflite, .h5, .caffemodel ...");
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

void plan(Job& j, const std::string& model, const std::string& blob, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = option_words(j.kind, j.options);
  words.insert(words.begin(), arguments.begin(), arguments.end());
  j.name = stem_of(model);
  std::vector<std::string> command{j.kind, model};
  const auto flag = [&](const char* f) { return std::ranges::find(words, f) != words.end(); };
  if (j.kind == "convert") {
    const bool archive = flag("--nn-archive"), superblob = flag("--superblob");
    const std::string kind = archive ? "nnarchive" : superblob ? "superblob" : "blob";
    const std::string file = j.name + (archive ? ".rvc2.tar.xz" : superblob ? ".superblob" : ".blob");
    command.insert(command.end(), {"-o", file});
    j.outputs.push_back({kind, file, {file}});
    if (flag("--ir")) {
      // Into a folder of its own: an IR that was sent has the same names.
      *std::next(std::ranges::find(words, "--ir")) = "ir";
      j.outputs.push_back({"ir", j.name + ".zip", {"ir/" + j.name + ".xml", "ir/" + j.name + ".bin"}});
    }
  }
  if (!blob.empty()) command.push_back(blob);
  command.insert(command.end(), words.begin(), words.end());
  if (const auto html = std::ranges::find(command, "--html"); html != command.end()) {
    command.insert(std::next(html), j.name + ".html");
    j.outputs.push_back({"html", j.name + ".html", {j.name + ".html"}});
  }
  std::vector<std::string> shown_words = command;
  shown_words.insert(shown_words.begin(), "blobsmith");
  j.shown_command = shell_line(shown_words);
  if (j.outputs.size() && j.outputs[0].kind == "blob") {  // of the page's view of a blob
    command.insert(command.end(), {"--layers", "layers.json"});
    j.outputs.push_back({"layers", j.name + ".layers.json", {"layers.json"}});
  }
  command.emplace_back("--json");
  j.commands = {{command, "report.json"}};
  j.outputs.push_back({"report", j.name + "." + j.kind + ".json", {"report.json"}});
  j.cache_key = key_of(j);
}

Job job_of_request(Request& r, std::string kind, JobStore& store, const Zoo* zoo) {
  const std::string type = r.header("content-type");
  if (!type.starts_with("multipart/form-data") && !type.starts_with("application/x-www-form-urlencoded"))
    throw HttpError(415, "the request is no form", "BS4002", "send multipart/form-data: curl -F file=@model.onnx");
  Job j;
  j.options = options_of(r);
  if (kind.empty()) kind = text_member(j.options, "kind");
  if (kind.empty()) kind = "convert";
  if (std::ranges::find(kKinds, kind) == kKinds.end())
    throw HttpError(400, "there is no kind \"" + kind.substr(0, 40) + "\"", "BS4002",
                    "convert, check, inspect, compare or estimate");
  j.kind = kind;
  option_words(j.kind, j.options);  // before anything is kept
  j.id = new_id();
  std::string model = text_member(j.options, "model"), blob = text_member(j.options, "blob");
  std::vector<std::string> arguments;
  if (const std::string id = text_member(j.options, "job"); !id.empty()) {
    take_from_job(j, id, store);
    if (j.options.contains("zoo")) take_zoo_arguments(zoo_model(j.options["zoo"], *zoo).first, model, arguments);
  } else if (j.options.contains("zoo")) {
    const auto [m, precision] = zoo_model(j.options["zoo"], *zoo);
    take_config_files(m.config, m.name, precision, m.folder, *zoo, store, j.files);
    take_zoo_arguments(m, model, arguments);
  }
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
    if (!name->empty() && !has(*name)) throw HttpError(400, "no file is called " + name->substr(0, 200), "BS4002");
  rename_beside(j.files, model);
  plan(j, model, blob, arguments);
  const auto again = j.options.find("no_cache");
  if (again == j.options.end() || (*again != true && *again != "true"))
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
