// All of the service but HTTP: storage, sandbox, workers, watchers, limits.
#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "serve/http/message.hpp"
#include "serve/jobs/hub.hpp"
#include "serve/jobs/runner.hpp"
#include "serve/jobs/store.hpp"
#include "serve/zoo/zoo.hpp"

namespace blobsmith::serve {

struct ServiceOptions {
  std::string data;      ///< folder
  std::string database;  ///< postgresql://...; empty: SQLite in the folder
  std::string objects;   ///< see open_objects(); empty: in the folder, or in PostgreSQL where that is the database
  std::string program;   ///< blobsmith
  int workers = 0;       ///< jobs at once; 0: as many as processors; -1: none, others take them
  int downloads = 4;     ///< jobs that fetch files at once
  int queue = 200;       ///< jobs that may wait
  uint64_t quota = uint64_t{20} << 30;
  double keep_seconds = 30 * 86400.0;  ///< that a job is shown after its end
  JobLimits limits;
  double lease_seconds = 30;
  bool require_sandbox = false, bubblewrap = true;
  ZooOptions zoo;
};

class Service {
 public:
  /// Throws std::runtime_error saying what is missing.
  explicit Service(ServiceOptions options);
  ~Service();
  void start();
  void stop();

  /// Into the queue; throws HttpError (429) where that is full. The job is told to watchers from then on.
  void submit(Job& j);
  std::optional<Job> cancel(const std::string& id);
  /// Calls `then` once with the job when it has ended, also where that is so already.
  void when_ended(const std::string& id, std::function<void(const Job&)> then);
  /// Copies of the result's or file's bytes: a file that may be sent. Nothing where it is gone.
  std::optional<std::string> file_of(const std::string& object);

  JobStore& store() { return *store_; }
  Hub& hub() { return hub_; }
  Zoo* zoo() { return zoo_.get(); }
  const Sandbox& sandbox() const { return *sandbox_; }
  const ServiceOptions& options() const { return options_; }
  uint64_t stored_bytes() const { return stored_bytes_; }
  struct Numbers {
    std::atomic<uint64_t> submitted = 0, done = 0, failed = 0, cancelled = 0, from_cache = 0, refused = 0;
  };
  Numbers& numbers() { return numbers_; }

 private:
  void changed(const Job& j);
  void clean_up();
  void listen();

  ServiceOptions options_;
  int lock_ = -1;
  std::unique_ptr<Sql> sql_;
  std::unique_ptr<Objects> objects_;
  std::unique_ptr<JobStore> store_;
  std::unique_ptr<Sandbox> sandbox_;
  std::unique_ptr<Zoo> zoo_;
  Hub hub_;
  std::unique_ptr<Runner> runner_;
  Numbers numbers_;
  std::atomic<uint64_t> stored_bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable stop_asked_;
  bool stopping_ = false;
  std::thread cleaner_, listener_;
};

}  // namespace blobsmith::serve
