// Who wants to know of a job while it runs.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "serve/jobs/job.hpp"

namespace blobsmith::serve {

class Hub {
 public:
  /// Called with every change, from any thread, one call at a time for each watcher; after the job's end, or when it
  /// returns false, no more.
  using Watcher = std::function<bool(const Job&)>;
  void watch(const std::string& id, Watcher w);
  void tell(const Job& j);
  std::vector<std::string> watched() const;

 private:
  struct Entry {
    std::mutex mutex;
    Watcher watcher;
    bool over = false;
  };
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<std::shared_ptr<Entry>>> watchers_;
};

}  // namespace blobsmith::serve
