#include "serve/zoo/zoo.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "serve/storage/objects.hpp"

namespace blobsmith::serve {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool is_url(const std::string& s) { return s.starts_with("http://") || s.starts_with("https://"); }

bool stays_inside(const std::string& name) {
  if (name.empty() || name.starts_with('/')) return false;
  for (const fs::path& part : fs::path(name))
    if (part == "..") return false;
  return true;
}

std::runtime_error nowhere(const Wanted& w, const std::string& tried) {
  return std::runtime_error("can't get " + w.name + " of " + w.model + tried +
                            "; downloads are switched off, and no mirror is an address");
}

}  // namespace

std::vector<std::pair<std::string, std::string>> shipped_models() {
  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& p :
       {folder / "../share/blobsmith/zoo", folder / "../../share/blobsmith/zoo", folder / "../data/zoo"})
    if (fs::is_directory(p)) return {{"intel", fs::canonical(p)}};
  return {};
}

Zoo::Zoo(ZooOptions options) : options_(std::move(options)) { rescan(); }

void Zoo::rescan() {
  std::map<std::pair<std::string, std::string>, ZooModel> found;
  for (const auto& [zoo, folder] : options_.folders) {
    if (!fs::is_directory(folder)) throw std::runtime_error("the zoo's folder " + folder + " is missing");
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().filename() != "model.yml" || !entry.is_regular_file()) continue;
      const std::string name = entry.path().parent_path().filename();
      try {
        found[{zoo, name}] = {name, zoo, entry.path().parent_path(), parse_model_config(read_text(entry.path()))};
      } catch (const std::exception& e) {
        std::cerr << "zoo: " << entry.path().string() << ": " << e.what() << std::endl;
      }
    }
  }
  const std::lock_guard lock(mutex_);
  models_.swap(found);
}

std::vector<ZooModel> Zoo::models(const std::string& zoo) const {
  const std::lock_guard lock(mutex_);
  std::vector<ZooModel> list;
  for (const auto& [key, m] : models_)
    if (zoo.empty() || key.first == zoo) list.push_back(m);
  return list;
}

std::optional<ZooModel> Zoo::find(const std::string& zoo, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, m] : models_)
    if ((zoo.empty() || key.first == zoo) && key.second == name) return m;
  return std::nullopt;
}

/// One fetches a file, the others that want it wait.
class Zoo::Turn {
 public:
  Turn(const Zoo& zoo, std::string place, const DownloadListener& listener) : zoo_(zoo), place_(std::move(place)) {
    std::unique_lock lock(zoo_.mutex_);
    while (!zoo_.fetched_.wait_for(lock, std::chrono::milliseconds(500),
                                   [&] { return zoo_.fetching_.insert(place_).second; }))
      if (listener.stop && listener.stop()) throw DownloadStopped{};
  }
  ~Turn() {
    {
      const std::lock_guard lock(zoo_.mutex_);
      zoo_.fetching_.erase(place_);
    }
    zoo_.fetched_.notify_all();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  const Zoo& zoo_;
  std::string place_;
};

Wanted Zoo::find_file(const std::string& model, const std::string& folder, const ConfigFile& f) const {
  const bool is_ours = !folder.empty();
  if (!stays_inside(f.name))
    throw std::runtime_error("the file name \"" + f.name + "\" leads out of the model's folder");
  Wanted w{model, f.name, model + "/" + f.name, f.size, f.sha256, f.sha384, {}, {}};
  // Of configurations that users send two may call different files the same.
  if (!is_ours) w.place = "sent/" + sha256_of(f.url + " " + f.sha256 + " " + f.sha384) + "/" + f.name;
  std::string tried;
  const auto add = [&](const fs::path& p) {
    std::error_code e;
    if (!fs::is_regular_file(p, e)) return false;
    w.files.push_back(p);
    return true;
  };
  if (is_ours) add(fs::path(folder) / f.name);
  add(fs::path(options_.cache_folder) / w.place);
  for (const std::string& m : options_.mirrors) {
    if (is_url(m)) {
      w.sources.push_back({m + (m.ends_with('/') ? "" : "/") + model + "/" + f.name, "", false});
      continue;
    }
    const bool whole = add(fs::path(m) / model / f.name),
               by_last = add(fs::path(m) / model / fs::path(f.name).filename());
    if (!whole && !by_last) tried += "; the mirror has no " + model + "/" + f.name;
  }
  if (options_.download && f.source_type == "http" && is_url(f.url)) w.sources.push_back({f.url, "", !is_ours});
  if (options_.download && f.source_type == "google_drive")
    w.sources.push_back({"https://drive.google.com/uc?export=download&confirm=t&id=" + f.url, "", !is_ours});
  if (options_.download && is_ours && f.source_type == "zip_member" && is_url(f.url))
    w.sources.push_back({f.url, f.member, false});
  if (w.sources.empty() && w.files.empty()) throw nowhere(w, tried);
  return w;
}

bool Zoo::is_available(const ZooModel& m) const {
  if (options_.download || std::ranges::any_of(options_.mirrors, is_url)) return true;
  return std::ranges::all_of(m.config.files, [&](const ConfigFile& f) {
    std::vector<fs::path> places{fs::path(m.folder) / f.name, fs::path(options_.cache_folder) / m.name / f.name};
    for (const fs::path mirror : options_.mirrors)
      places.insert(places.end(), {mirror / m.name / f.name, mirror / m.name / fs::path(f.name).filename()});
    return std::ranges::any_of(places, [](const fs::path& p) {
      std::error_code e;
      return fs::is_regular_file(p, e);
    });
  });
}

std::string Zoo::fetch(const Wanted& w, const DownloadListener& listener) const {
  std::string tried;
  const fs::path kept = fs::path(options_.cache_folder) / w.place;
  const auto good = [&](const fs::path& p) {
    std::error_code e;
    if (!fs::is_regular_file(p, e)) return false;
    if (listener.stop && listener.stop()) throw DownloadStopped{};
    const std::string why = mismatch(p, w);
    if (!why.empty()) tried += "; " + p.filename().string() + " " + why;
    if (why.empty() && p == kept) fs::last_write_time(kept, fs::file_time_type::clock::now(), e);  // in use
    return why.empty();
  };
  for (const std::string& path : w.files)
    if (good(path)) return path;
  if (w.sources.empty()) throw nowhere(w, tried);
  const Turn turn(*this, turn_of(w), listener);
  if (good(kept)) return kept;  // another one has fetched it
  return download(w, options_.cache_folder, listener);
}

std::string Zoo::advice() const {
  return options_.download ? "" : "the server may be started with --mirror PLACE or --allow-download";
}

void Zoo::clean(uint64_t quota) const {
  struct Entry {
    fs::file_time_type used;
    uint64_t size;
    fs::path path;
  };
  std::vector<Entry> entries;
  uint64_t all = 0;
  std::error_code e;
  for (fs::recursive_directory_iterator it(options_.cache_folder, e), end; it != end; it.increment(e)) {
    if (!it->is_regular_file(e)) continue;
    entries.push_back({it->last_write_time(e), it->file_size(e), it->path()});
    all += entries.back().size;
  }
  std::ranges::sort(entries, {}, &Entry::used);
  const std::lock_guard lock(mutex_);
  for (const Entry& old : entries) {
    if (all <= quota) return;
    // What is written just now is not old.
    if (old.path.extension() == ".part" && !fetching_.empty()) continue;
    if (fs::remove(old.path, e)) all -= old.size;
  }
}

}  // namespace blobsmith::serve
