#include "serve/zoo_command.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "serve/jobs/config_files.hpp"
#include "serve/jobs/job.hpp"
#include "serve/jobs/options.hpp"

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

/// Models that come with the program, and the user's cache.
void use_defaults(ZooOptions& o) {
  if (o.folders.empty()) o.folders = shipped_models();
  if (!o.cache_folder.empty()) return;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  o.cache_folder = cache && *cache ? std::string(cache) + "/blobsmith/zoo"
                                   : std::string(home ? home : ".") + "/.cache/blobsmith/zoo";
}

ZooModel the_model(const Zoo& zoo, const std::string& name) {
  if (const auto m = zoo.find("", name)) return *m;
  std::string all;
  for (const ZooModel& m : zoo.models()) all += (all.empty() ? "" : ", ") + m.name;
  throw std::runtime_error("there is no model \"" + name +
                           "\" in the zoo; there are: " + (all.empty() ? "none (--zoo FOLDER)" : all));
}

int list(const Zoo& zoo, bool json) {
  Json models = Json::array();
  for (const ZooModel& m : zoo.models()) {
    if (!json) {
      std::string types;
      for (const std::string& p : m.config.precisions()) types += (types.empty() ? "" : ", ") + p;
      std::printf("%-36s %-10s %-16s %s\n", m.name.c_str(), m.config.framework.c_str(), types.c_str(),
                  m.config.task.c_str());
    }
    models.push_back({{"name", m.name},
                      {"zoo", m.zoo},
                      {"framework", m.config.framework},
                      {"precisions", m.config.precisions()},
                      {"task", m.config.task},
                      {"description", m.config.description},
                      {"license", m.config.license}});
  }
  if (json) std::printf("%s\n", models.dump(1).c_str());
  return 0;
}

/// A line that counts up, where somebody watches.
DownloadListener shown_on_terminal(const std::string& name) {
  if (isatty(STDERR_FILENO) == 0) return {};
  return {.progress =
              [name](uint64_t done, uint64_t all) {
                std::fprintf(stderr, "\r%s: %.1f", name.c_str(), static_cast<double>(done) / 1e6);
                if (all > 0) std::fprintf(stderr, " of %.1f", static_cast<double>(all) / 1e6);
                std::fprintf(stderr, done == all && all > 0 ? " MB\n" : " MB ");
              },
          .stop = {}};
}

/// Copies the files into folder/NAME, as the Open Model Zoo lays them out.
fs::path get(const Zoo& zoo, const ZooModel& m, const std::string& precision, const fs::path& folder, bool quiet) {
  const fs::path place = folder / m.name;
  for (const ConfigFile& f : m.config.files) {
    const std::string first = f.name.substr(0, f.name.find('/'));
    if (m.config.framework == "dldt" && first.starts_with("FP") && first != precision) continue;
    const fs::path to = place / f.name;
    fs::create_directories(to.parent_path());
    const std::string from = zoo.fetch(zoo.find_file(m.name, m.folder, f), shown_on_terminal(f.name));
    if (!fs::exists(to) || !fs::equivalent(from, to)) fs::copy_file(from, to, fs::copy_options::overwrite_existing);
    if (!quiet) std::printf("%s\n", to.c_str());
  }
  return place;
}

int run(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& w : words) arguments.push_back(const_cast<char*>(w.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  if (posix_spawn(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0)
    throw std::runtime_error("can't start " + words[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}

std::string replaced(std::string text, const std::string& place) {
  for (const char* word : {"$dl_dir", "$conv_dir", "$config_dir"})
    for (size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += place.size())
      text.replace(at, std::string_view(word).size(), place);
  return text;
}

int convert(const Zoo& zoo, const ZooModel& m, const ZooCommand& c, const std::string& program) {
  const fs::path place = get(zoo, m, c.precision, zoo.options().cache_folder + "/models", true);
  std::vector<std::string> words{program, "convert"};
  std::string model;
  std::vector<std::string> arguments;
  for (const std::string& a : m.config.optimizer_arguments) {
    const std::string name = a.substr(0, a.find('=')),
                      value = a.find('=') == std::string::npos ? "" : replaced(a.substr(a.find('=') + 1), place);
    if (name == "--input_model" || name == "--saved_model_dir" || name == "--input_meta_graph")
      model = value;
    else if (name != "--data_type" && name != "--model_name" && name != "--output_dir" && name != "--framework")
      arguments.push_back(value.empty() ? name : name + "=" + value);
  }
  if (model.empty())
    for (const ConfigFile& f : m.config.files)
      if (format_of(f.name) && (m.config.framework != "dldt" || f.name.starts_with(c.precision + "/")))
        model = place / f.name;
  if (model.empty())
    throw std::runtime_error("none of the files of " + m.name + " is a model of the precision " + c.precision);
  if (m.config.framework != "dldt" && optimizer_call(m.config).needs_optimizer) {
    OptimizerCall call;
    call.words = std::move(arguments);
    call.words.emplace_back("--silent");
    std::vector<std::string> first = optimizer_command(call, model, m.name, place / "ir");
    first.insert(first.begin(), program);
    if (const int code = run(first); code != 0) return code;
    model = place / "ir" / (m.name + ".xml");
    arguments.clear();
  }
  words.push_back(model);
  if (m.config.framework != "dldt") words.insert(words.end(), arguments.begin(), arguments.end());
  if (std::ranges::find(c.convert_words, "-o") == c.convert_words.end())
    words.insert(words.end(), {"-o", m.name + ".blob"});
  words.insert(words.end(), c.convert_words.begin(), c.convert_words.end());
  return run(words);
}

}  // namespace

void add_zoo_verbs(CLI::App& app, ZooCommand& c) {
  app.require_subcommand(1);
  CLI::App* l = app.add_subcommand("list", "names, frameworks, precisions and tasks");
  l->add_flag("--json", c.json, "as JSON");
  CLI::App* g = app.add_subcommand("get", "fetches a model's files, checked");
  g->add_option("name", c.name, "of the model")->required();
  g->add_option("-o", c.folder, "folder for NAME/... (default: this one)");
  CLI::App* v = app.add_subcommand("convert", "fetches a model and converts it");
  v->add_option("name", c.name, "of the model")->required();
  v->add_option("words", c.convert_words, "options of blobsmith convert, behind --: -- --shaves 4 -o x.blob");
  for (CLI::App* s : {g, v}) s->add_option("--precision", c.precision, "FP16 (default), FP16-INT8");
  for (CLI::App* s : {l, g, v}) {
    s->callback([&c, s] { c.verb = s->get_name(); });
    s->fallthrough();
  }
}

int run_zoo_command(ZooCommand& c, const std::string& program) {
  use_defaults(c.options);
  const Zoo zoo(c.options);
  if (c.verb == "list") return list(zoo, c.json);
  const ZooModel m = the_model(zoo, c.name);
  if (c.verb == "convert") return convert(zoo, m, c, program);
  get(zoo, m, c.precision, c.folder, false);
  return 0;
}

}  // namespace blobsmith::serve
