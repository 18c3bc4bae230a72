#include "serve/jobs/config_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "serve/http/message.hpp"
#include "serve/jobs/options.hpp"

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

struct Argument {
  std::string name, value;
  bool has_value = false;
};

Argument argument_of(const std::string& text) {
  Argument a;
  const size_t cut = text.find_first_of("= ");
  a.name = text.substr(0, cut);
  if (cut != std::string::npos) {
    a.value = text.substr(cut + 1);
    a.has_value = true;
  }
  return a;
}

/// Files that the configuration speaks of lie in one folder here, by their last names.
std::string without_folders(const std::string& value) {
  std::string s = value;
  for (const char* place : {"$dl_dir/", "$conv_dir/", "$config_dir/"}) {
    const size_t at = s.find(place);
    if (at == std::string::npos) continue;
    const size_t end = std::min(s.find_first_of(",;", at), s.size());
    s = s.substr(0, at) + safe_file_name(s.substr(at, end - at)) + s.substr(end);
  }
  for (const char* place : {"$mo_dir/", "$mo_ext_dir/"})
    if (const size_t at = s.find(place); at != std::string::npos) s.erase(at, std::string_view(place).size());
  return s;
}

/// What `mo` takes and `convert` doesn't.
bool only_for_optimizer(const std::string& name) {
  for (const OptionRow& o : option_rows()) {
    std::string flag = o.flag;
    std::ranges::replace(flag, '-', '_');
    std::string wanted = name;
    std::ranges::replace(wanted, '-', '_');
    if (flag == wanted) return false;
  }
  constexpr std::array<const char*, 5> kMore{"--scale", "--mean", "--input_proto", "--input_symbol", "-b"};
  return std::ranges::find(kMore, name) == kMore.end();
}

}  // namespace

void keep_copy(JobFile& f, const std::string& path, const std::string& folder, JobStore& store) {
  fs::create_directories(folder);
  const std::string copy = folder + "/copy-" + new_id();
  fs::copy_file(path, copy);
  f.size = fs::file_size(copy);
  f.object = store.keep(copy, f.size);
}

std::vector<std::string> optimizer_command(const OptimizerCall& call, const std::string& model, const std::string& name,
                                           const std::string& folder) {
  std::vector<std::string> words{"mo",           "--right", "--data_type=FP16", "--input_model", model,
                                 "--model_name", name,      "--output_dir",     folder};
  if (!call.framework.empty()) words.insert(words.end(), {"--framework", call.framework});
  words.insert(words.end(), call.words.begin(), call.words.end());
  return words;
}

OptimizerCall optimizer_call(const ModelConfig& c) {
  OptimizerCall call;
  if (c.framework != "pytorch") call.framework = c.framework;  // that is an ONNX file
  std::vector<std::string> arguments;
  std::string names, shapes;
  for (size_t i = 0; i < c.input_names.size(); ++i) {
    if (!c.input_names[i].empty()) names += (names.empty() ? "" : ",") + c.input_names[i];
    if (!c.input_shapes[i].empty()) shapes += (shapes.empty() ? "" : ",") + c.input_shapes[i];
  }
  if (!names.empty()) arguments.push_back("--input=" + names);
  if (!shapes.empty()) arguments.push_back("--input_shape=" + shapes);
  arguments.insert(arguments.end(), c.optimizer_arguments.begin(), c.optimizer_arguments.end());
  std::vector<Argument> kept;
  for (const std::string& text : arguments) {
    Argument a = argument_of(text);
    if (a.name.empty()) continue;
    if (!a.name.starts_with('-'))
      throw HttpError(400, "\"" + text.substr(0, 100) + "\" is no argument of Model Optimizer", "BS4002");
    a.value = without_folders(a.value);
    if (a.name == "--input_model" || a.name == "-m" || a.name == "-w" || a.name == "--input_meta_graph") {
      call.model = safe_file_name(a.value);
    } else if (a.name == "--saved_model_dir") {
      call.model = "saved_model.pb";  // all files lie in one folder here
    } else if (a.name != "--data_type" && a.name != "--model_name" && a.name != "-n" && a.name != "--output_dir" &&
               a.name != "-o" && a.name != "--framework") {
      std::erase_if(kept, [&](const Argument& k) { return k.name == a.name; });  // the later one wins
      kept.push_back(a);
    }
  }
  for (const Argument& a : kept) {
    call.needs_optimizer |= only_for_optimizer(a.name);
    call.words.push_back(a.has_value ? a.name + "=" + a.value : a.name);
  }
  return call;
}

void take_config_files(const ModelConfig& c, const std::string& name, const std::string& precision,
                       const std::string& zoo_folder, const Zoo& zoo, JobStore& store, std::vector<JobFile>& files) {
  for (const ConfigFile& f : c.files) {
    const std::string file = safe_file_name(f.name);
    if (f.url.starts_with("$REQUEST")) {
      const std::string sent = safe_file_name(f.url.substr(f.url.find('/') + 1));
      const auto it = std::ranges::find(files, sent, &JobFile::name);
      if (it == files.end())
        throw HttpError(400, "the file \"" + sent + "\" that the configuration speaks of was not sent", "BS4002");
      it->name = file;
      continue;
    }
    const std::string folder = f.name.substr(0, f.name.find('/'));
    if (c.framework == "dldt" && folder.starts_with("FP") && folder != precision) continue;
    try {
      Wanted wanted = zoo.find_file(name, zoo_folder, f);
      JobFile& kept = files.emplace_back(JobFile{file, wanted.size.value_or(0), "", {}});
      if (!wanted.files.empty() && zoo.options().other_machines)  // only this one has it
        keep_copy(kept, zoo.fetch(wanted, {}), zoo.options().cache_folder, store);
      else
        kept.fetch = std::move(wanted);
    } catch (const DatabaseError&) {
      throw;
    } catch (const std::runtime_error& e) {
      throw HttpError(400, e.what(), "BS4002", zoo.advice());
    }
  }
}

}  // namespace blobsmith::serve
