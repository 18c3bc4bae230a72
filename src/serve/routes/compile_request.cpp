#include "serve/routes/compile_request.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "blobsmith/version.hpp"
#include "serve/jobs/config_files.hpp"
#include "serve/jobs/options.hpp"
#include "serve/jobs/submission.hpp"

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 7> kVersions{"2022.3_RVC3", "2022.1", "2021.4", "2021.3",
                                               "2021.2",      "2021.1", "2020.4"};

bool is_true(const std::string& text) {
  return text.size() == 4 &&
         std::ranges::equal(text, std::string_view("true"), {}, [](unsigned char c) { return std::tolower(c); });
}

[[noreturn]] void refuse(const std::string& text, const std::string& hint = {}) {
  throw HttpError(400, text, "BS4002", hint);
}

/// A fault of the configuration: the original answers with JSON, whoever asks.
[[noreturn]] void refuse_config(const std::string& text) {
  HttpError e(400, text, "config");
  throw e;
}

/// By name; the query wins.
std::string value_of(const Request& r, std::string_view name, std::string otherwise = {}) {
  for (const auto& [key, value] : r.query)
    if (key == name) return value;
  for (const Part& p : r.parts)
    if (!p.is_file && p.name == name) return p.value;
  return otherwise;
}

bool has_value(const Request& r, std::string_view name) {
  return std::ranges::any_of(r.parts, [&](const Part& p) { return !p.is_file && p.name == name; }) ||
         std::ranges::any_of(r.query, [&](const auto& q) { return q.first == name; });
}

std::string text_of_part(const Part& p) {
  if (!p.is_file) return p.value;
  if (p.size > (4 << 20)) refuse("the configuration is too large");
  std::ifstream in(p.path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

int shaves_of(const std::string& text) {
  if (text.empty() || text.size() > 3 || !std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); }) ||
      std::stoi(text) < 1 || std::stoi(text) > 16)
    refuse("myriad_shaves is a number from 1 to 16, not \"" + text.substr(0, 40) + "\"");
  return std::stoi(text);
}

std::string version_of(const Request& r) {
  std::string v = r.query_value("version");
  if (v.empty()) v = "2022.1";
  if (v == "2022.3_RVC3") refuse("RVC3 is not a Myriad X target", "versions are 2020.4 to 2022.1");
  if (v.starts_with("2019") || v == "2020.1" || v == "2020.2" || v == "2020.3")
    refuse("blobs of OpenVINO " + v.substr(0, 40) + " can't be made: they have a format of their own (5.0 or older)",
           "with version=2020.4 or later, up to 2022.1, the same model becomes a blob that depthai 2.5 and newer "
           "load");
  if (std::ranges::find(kVersions, v) == kVersions.end()) {
    std::string all;
    for (const char* k : kVersions) all += (all.empty() ? "" : ", ") + std::string(k);
    refuse("unknown version \"" + v.substr(0, 40) + "\": one of " + all);
  }
  return v;
}

void check_name(const std::string& name) {
  if (name.empty()) throw HttpError(400, "Parameter \"name\" is empty!");
  const bool letters = std::ranges::all_of(
      name, [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '_' || c == '-' || c == ' '; });
  if (!letters || name.starts_with('.') || name.starts_with('-') || name.size() > 150)
    refuse("the name \"" + name.substr(0, 150) + "\" can't be a model's",
           "letters, digits, \".\", \"_\", \"-\" and blanks; the first is a letter or a digit");
}

void check_config(const ModelConfig& c) {
  if (!c.has_files) refuse_config("\"files\" property is missing in model config file");
  for (const ConfigFile& f : c.files) {
    if (f.source_type.empty()) refuse_config("Each file needs to have \"source\" param");
    const bool sent = f.url.starts_with("$REQUEST");
    if (sent) continue;
    // The Open Model Zoo's own files have a plain address and one of the sums.
    const bool has_sum = f.plain_source && !(f.sha256.empty() && f.sha384.empty());
    for (const auto& [what, missing] : {std::pair("size", !f.size), std::pair("sha256", f.sha256.empty() && !has_sum),
                                        std::pair("sha384", f.sha384.empty() && !has_sum)})
      if (missing)
        refuse_config(std::string("You need to supply \"") + what + "\" parameter for file when using a remote source");
  }
}

/// At single blanks, as the original does; quotes keep blanks together.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  char quote = 0;
  for (const char c : text + " ") {
    if (quote) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += c;
    }
  }
  return words;
}

void check_parameters(const std::string& text) {
  const std::vector<std::string> words = words_of(text);
  if (words.size() > 2 && std::ranges::all_of(words, [](const std::string& w) { return w.size() == 1; }))
    refuse("the compiler's parameters came letter by letter: \"" + text.substr(0, 60) + "\"",
           "blobconverter takes a list: compile_params=[\"-ip FP16\"]; on its command line leave --compile-params out, "
           "or use blobsmith's own package");
}

// ---- files ----------------------------------------------------------------------------------------------------------

void take_uploads(const CompileRequest& c, Request& r, JobStore& store, Job& j) {
  for (Part& p : r.parts) {
    if (!p.is_file || p.name == "config" || p.path.empty()) continue;
    std::string name = safe_file_name(p.file_name);
    if (c.old_protocol && name.empty()) name = safe_file_name(p.name);
    if (name.empty() || name == "commands.json")
      refuse("a file can't be called \"" + p.file_name.substr(0, 100) + "\"");
    if (std::ranges::any_of(j.files, [&](const JobFile& f) { return f.name == name; }))
      refuse("two files are called " + name);
    j.files.push_back({name, p.size, store.keep(p.path, p.size)});
    p.path.clear();
  }
}

// ---- commands -------------------------------------------------------------------------------------------------------

/// The two commands of the original in one, where `convert` has all that is asked for.
void plan_commands(const CompileRequest& c, Job& j, const std::string& model, const OptimizerCall& mo) {
  std::vector<std::string> parameters = words_of(c.compiler_parameters);
  const std::string name = c.file_name(), blob = name + ".blob", shaves = std::to_string(c.shaves);
  // Which device, is no question; scripts of 2020 state the chip as well.
  for (const char* flag : {"-d", "-VPU_MYRIAD_PLATFORM"})
    for (auto it = std::ranges::find(parameters, flag); it != parameters.end();
         it = std::ranges::find(parameters, flag)) {
      const auto end = it + 1 == parameters.end() ? it + 1 : it + 2;
      if (end == it + 2 && *(it + 1) == "VPU_MYRIAD_2450") refuse("VPU_MYRIAD_2450 is not a Myriad X target");
      parameters.erase(it, end);
    }
  const bool needs_compiler = std::ranges::any_of(parameters, [](const std::string& w) {
    constexpr std::array<std::string_view, 4> kBoth{"-ip", "-op", "-iop", "-c"};
    return w.size() > 1 && w[0] == '-' && std::isalpha(static_cast<unsigned char>(w[1])) &&
           std::ranges::find(kBoth, w) == kBoth.end();
  });
  const bool is_ir = c.config.framework == "dldt";
  std::string source = model;
  std::vector<std::string> convert{"convert", source, "-o", blob, "--target", c.version, "--shaves", shaves};
  if (!is_ir && (mo.needs_optimizer || needs_compiler)) {
    j.commands.push_back({optimizer_command(mo, model, name), ""});
    source = convert[1] = "ir/" + name + ".xml";
  } else if (!is_ir) {
    if (c.config.framework == "tf" || c.config.framework == "caffe" || c.config.framework == "mxnet" ||
        c.config.framework == "onnx")
      convert.insert(convert.end(), {"--framework", c.config.framework});
    if (c.download_ir) convert.insert(convert.end(), {"--ir", "ir"});
    convert.insert(convert.end(), mo.words.begin(), mo.words.end());
  }
  if (needs_compiler) {
    convert = {"compile", "-m", source, "-o", blob, "--no-quirks", "--target", c.version};
    for (const char* unit : {"VPU_NUMBER_OF_SHAVES", "VPU_NUMBER_OF_CMX_SLICES"})
      if (std::ranges::none_of(parameters, [&](const std::string& w) { return w.ends_with(unit); }))
        convert.insert(convert.end(), {std::string("--") + unit, shaves});
  }
  convert.insert(convert.end(), parameters.begin(), parameters.end());
  j.commands.push_back({convert, ""});
  j.outputs.push_back({"blob", blob, {blob}});
  if (c.download_ir) {
    // The program calls an IR as its model; the name asked for is the zip's.
    const std::string stem = stem_of(model);
    const bool of_optimizer = j.commands.size() == 2;
    const std::string ir = is_ir ? stem : "ir/" + (of_optimizer ? name : stem);
    j.outputs.insert(j.outputs.begin(), {"ir", name + ".zip", {ir + ".xml", ir + ".bin", blob}});
  }
  for (const Command& command : j.commands)
    j.shown_command += (j.shown_command.empty() ? "" : " && ") + command_line(command.words);
}

void read_old_protocol(const Request& r, CompileRequest& c) {
  c.old_protocol = true;
  const std::string type = value_of(r, "compile_type");
  const auto file = [&](const char* field) -> const Part& {
    for (const Part& p : r.parts)
      if (p.is_file && p.name == field) return p;
    throw HttpError(400, std::string("File named \"") + field + "\" must be present in the request form");
  };
  const auto entry = [](const Part& p) {
    ConfigFile f;
    f.name = safe_file_name(p.file_name);
    f.source_type = "http";
    f.url = "$REQUEST/" + p.file_name;
    return f;
  };
  if (has_value(r, "compiler_params")) c.compiler_parameters = value_of(r, "compiler_params");
  c.config.has_files = type != "zoo";
  if (type == "myriad") {
    const Part& xml = file("definition");
    c.config.framework = "dldt";
    c.config.files = {entry(xml), entry(file("weights"))};
    c.name = stem_of(safe_file_name(xml.file_name));
  } else if (type == "model") {
    const Part& model = file("model");
    c.config.framework = value_of(r, "model_type", "tf");
    if (c.config.framework != "caffe" && c.config.framework != "tf")
      refuse("Unknown model type: " + c.config.framework.substr(0, 40));
    c.config.files = {entry(model)};
    if (c.config.framework == "caffe") c.config.files.push_back(entry(file("proto")));
    c.name = stem_of(safe_file_name(model.file_name));
    for (const std::string& word : words_of(value_of(r, "intermediate_compiler_params"))) {
      std::vector<std::string>& arguments = c.config.optimizer_arguments;
      if (word.starts_with('-') || arguments.empty())
        arguments.push_back(word);
      else
        arguments.back() += " " + word;  // a value: "--scale 255"
    }
  } else if (type == "zoo") {
    c.use_zoo = true;
    c.name = value_of(r, "model_name");
  } else {
    throw HttpError(400, "Unknown compile type: " + type.substr(0, 100));
  }
}

}  // namespace

std::string CompileRequest::file_name() const {
  std::string s = name;
  std::ranges::replace(s, ' ', '_');
  return s;
}

std::string client_hash(const Request& r) {
  // As Python's json.dumps writes a dict of the fields: a field that comes again keeps its place and takes the new
  // value.
  Json fields = Json::object();
  const auto add = [&](const std::string& name, const std::string& value) {
    const bool is_flag = name == "no_cache" || name == "dry" || name == "download_ir";
    if (is_flag && (value == "True" || value == "False"))
      fields[name] = value == "True";
    else
      fields[name] = value;
  };
  for (const auto& [name, value] : r.query) add(name, value);
  for (const Part& p : r.parts)
    if (!p.is_file) add(p.name, p.value);
  std::string text = "{";
  for (const auto& [name, value] : fields.items())
    text += (text.size() > 1 ? ", " : "") + Json(name).dump(-1, ' ', true, Json::error_handler_t::replace) + ": " +
            value.dump(-1, ' ', true, Json::error_handler_t::replace);
  text += "}";
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr);
  EVP_DigestUpdate(digest.get(), text.data(), text.size());
  std::string buffer(1 << 18, 0);
  for (const Part& p : r.parts) {
    if (!p.is_file) continue;
    std::ifstream in(p.path, std::ios::binary);
    do {
      in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
      EVP_DigestUpdate(digest.get(), buffer.data(), static_cast<size_t>(in.gcount()));
    } while (in);
  }
  std::array<unsigned char, 32> bytes{};
  EVP_DigestFinal_ex(digest.get(), bytes.data(), nullptr);
  std::string hash;
  for (const unsigned char b : bytes) hash += {"0123456789abcdef"[b >> 4], "0123456789abcdef"[b & 15]};
  return hash;
}

CompileRequest compile_request(const Request& r, const Zoo& zoo) {
  CompileRequest c;
  c.version = version_of(r);
  c.zoo_type = value_of(r, "zoo_type", "intel");
  if (c.zoo_type != "intel" && c.zoo_type != "depthai")
    refuse("Unknown zoo type: " + c.zoo_type.substr(0, 40), "intel or depthai");
  c.compiler_parameters = value_of(r, "myriad_params_advanced", "-ip U8");
  if (has_value(r, "compile_type")) {
    read_old_protocol(r, c);
    check_name(c.name);
  } else {
    c.name = value_of(r, "name");
    check_name(c.name);
    c.use_zoo = !value_of(r, "use_zoo").empty();
  }
  c.shaves = shaves_of(value_of(r, "myriad_shaves", "6"));
  c.data_type = value_of(r, "data_type", "FP16");
  if (c.data_type != "FP16" && c.data_type != "FP16-INT8")
    refuse("data_type is FP16 or FP16-INT8, not \"" + c.data_type.substr(0, 40) + "\"");
  c.download_ir = is_true(value_of(r, "download_ir"));
  c.no_cache = is_true(r.query_value("no_cache"));
  c.dry = is_true(r.query_value("dry"));
  check_parameters(c.compiler_parameters);
  if (!c.config.has_files) {
    const auto part = std::ranges::find_if(r.parts, [](const Part& p) { return p.name == "config"; });
    if (part != r.parts.end()) {
      try {
        c.config = parse_model_config(text_of_part(*part));
      } catch (const std::runtime_error& e) {
        refuse_config(e.what());
      }
      check_config(c.config);
    } else if (c.use_zoo) {
      const auto m = zoo.find(c.zoo_type, c.name);
      if (!m) throw HttpError(400, "Model " + c.name + " not found in model zoo");
      c.config = m->config;
    } else {
      throw HttpError(400, "File named \"config\" must be present in the request form");
    }
  }
  constexpr std::array<std::string_view, 8> kFrameworks{"",     "caffe",  "dldt",    "mxnet",
                                                        "onnx", "paddle", "pytorch", "tf"};
  if (std::ranges::find(kFrameworks, c.config.framework) == kFrameworks.end())
    refuse_config("Unknown framework: " + c.config.framework.substr(0, 40));
  if (c.config.framework == "paddle")
    refuse_config("PaddlePaddle's models are not read; export them to ONNX with paddle2onnx");
  c.hash = client_hash(r);
  return c;
}

Job job_of(const CompileRequest& c, Request& r, JobStore& store, const Zoo& zoo) {
  Job j;
  j.id = new_id();
  j.kind = "convert";
  j.name = c.file_name();
  j.options = {{"version", c.version}, {"shaves", c.shaves}, {"compiler_parameters", c.compiler_parameters}};
  j.cache_key = std::string(version()) + ":" + c.hash;
  const OptimizerCall mo = c.config.framework == "dldt" ? OptimizerCall{} : optimizer_call(c.config);
  std::string folder;
  if (c.use_zoo)
    if (const auto m = zoo.find(c.zoo_type, c.name)) folder = m->folder;
  if (c.dry) {
    for (const ConfigFile& f : c.config.files) j.files.push_back({safe_file_name(f.name), 0, ""});
  } else {
    take_uploads(c, r, store, j);
    take_config_files(c.config, c.name, c.data_type, folder, zoo, store, j.files);
  }
  if (j.files.empty()) refuse("the configuration names no file");
  const std::string model = mo.model.empty() ? model_among(j.files).name : mo.model;
  if (std::ranges::none_of(j.files, [&](const JobFile& f) { return f.name == model; }))
    refuse("the model \"" + model + "\" was not sent");
  if (std::ranges::none_of(mo.words, [](const std::string& w) { return w.starts_with("--input_proto"); }))
    rename_beside(j.files, model);
  plan_commands(c, j, model, mo);
  return j;
}

}  // namespace blobsmith::serve
