// Folders of models in the format of the Open Model Zoo: **/NAME/model.yml. Nothing of a model is ever run.
#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "serve/zoo/download.hpp"
#include "serve/zoo/model_config.hpp"

namespace blobsmith::serve {

struct ZooModel {
  std::string name, zoo, folder;
  ModelConfig config;
};

/// The models that come with the program: name of the zoo and folder; none where they were not installed.
std::vector<std::pair<std::string, std::string>> shipped_models();

struct ZooOptions {
  std::vector<std::pair<std::string, std::string>> folders;  ///< name ("intel", "depthai") and place
  std::vector<std::string> mirrors;                          ///< folders or URLs that hold NAME/FILE
  bool download = false;                                     ///< from where the models' files say
  std::string cache_folder;     ///< for what was fetched; parts of broken transfers are gone on with
  bool other_machines = false;  ///< which don't have these folders may work on jobs
};

class Zoo {
 public:
  explicit Zoo(ZooOptions options);

  void rescan();
  std::vector<ZooModel> models(const std::string& zoo = {}) const;  ///< by name
  /// Nothing where there is none; `zoo` empty: in any.
  std::optional<ZooModel> find(const std::string& zoo, const std::string& name) const;
  /// Where a file of a model may be: beside model.yml, in the cache, in a mirror. None of them is read for that.
  /// `folder`: of the zoo's model; empty: a user sent the configuration. Throws std::runtime_error where it can't be
  /// anywhere.
  Wanted find_file(const std::string& model, const std::string& folder, const ConfigFile& f) const;
  /// Whether all files of a model seem to be there, or may be fetched; their sums are not computed for that.
  bool is_available(const ZooModel& m) const;
  /// The path of such a file, with the size and sums that it is said to have; from an address it gets into the cache.
  /// Throws std::runtime_error saying what was tried, DownloadStopped.
  std::string fetch(const Wanted& w, const DownloadListener& listener) const;
  /// What may help where a file can't be got; empty: nothing known.
  std::string advice() const;
  /// Removes what was fetched, the longest unused first, until `quota` bytes are left.
  void clean(uint64_t quota) const;
  const ZooOptions& options() const { return options_; }

 private:
  ZooOptions options_;
  class Turn;
  mutable std::mutex mutex_;
  mutable std::condition_variable fetched_;
  mutable std::set<std::string> fetching_;
  std::map<std::pair<std::string, std::string>, ZooModel> models_;
};

}  // namespace blobsmith::serve
