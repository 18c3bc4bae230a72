// Threads that take jobs, run each in its sandbox and keep what it makes; others that fetch files of jobs beforehand.
#pragma once
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "serve/jobs/process.hpp"
#include "serve/jobs/store.hpp"
#include "serve/zoo/zoo.hpp"

namespace blobsmith::serve {

struct RunnerOptions {
  std::string work_folder;
  const Zoo* zoo = nullptr;     ///< fetches files
  int jobs = 2, downloads = 4;  ///< at once
  JobLimits limits;
  double lease_seconds = 30;
  int attempts = 3;
};

class Runner {
 public:
  using Watcher = std::function<void(const Job&)>;  ///< called with the whole job whenever something of it has changed
  Runner(JobStore& store, const Sandbox& sandbox, RunnerOptions options, Watcher watcher);
  ~Runner();
  void start();
  /// Kills what runs; those jobs wait again.
  void stop();
  void wake(JobStore::Stage stage);    ///< there is a new job for it
  void cancel(const std::string& id);  ///< if it runs here
  int busy() const { return busy_; }

 private:
  class Hold;
  void work(JobStore::Stage stage);
  void work_on(Job j, const std::string& lease);
  void fetch(Job& j, Hold& hold);
  void run(Job& j, const std::string& lease, Hold& hold);
  void settle(Job& j, const Ended& ended, const std::string& folder);
  static double share_of(const Job& j, double done);
  void collect(Job& j, const std::string& folder);
  std::vector<std::string> lay_out(const Job& j, const std::string& folder);

  JobStore& store_;
  const Sandbox& sandbox_;
  RunnerOptions options_;
  Watcher watcher_;
  std::mutex mutex_;
  struct Waiting {
    std::condition_variable more;
    uint64_t woken = 0;
  };
  std::map<JobStore::Stage, Waiting> waiting_;
  bool stopping_ = false;
  std::map<std::string, std::shared_ptr<std::atomic<bool>>> running_;  ///< true: to be cancelled
  std::vector<std::thread> threads_;
  std::atomic<int> busy_ = 0;
};

}  // namespace blobsmith::serve
