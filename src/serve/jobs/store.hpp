// Jobs, results and their references in the database. A job is taken under a lease, which its worker renews; who has
// lost the lease can change nothing any more, so that every job ends once.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "serve/jobs/job.hpp"
#include "serve/storage/objects.hpp"
#include "serve/storage/sql.hpp"

namespace blobsmith::serve {

class JobStore {
 public:
  JobStore(Sql& sql, Objects& objects);

  /// Takes a file away into Objects; its key. It stays for ten minutes without a job that uses it.
  std::string keep(const std::string& file, uint64_t size);
  /// What is accepted is on the disk when this returns.
  void submit(const Job& j);
  std::optional<Job> find(const std::string& id);
  std::vector<Job> find_all(const std::vector<std::string>& ids);
  struct Counts {
    int queued = 0, running = 0;
  };
  Counts counts();

  enum class Stage { Commands, Download };  ///< that a job waits for
  /// The oldest job that waits, or whose worker hasn't been heard of; its lease is `lease` then.
  std::optional<Job> take(Stage stage, const std::string& lease, double seconds);
  enum class Standing { Mine, Cancelled, Lost };
  /// Renews the lease and tells how far the job is.
  Standing renew(const Job& j, const std::string& lease, double seconds);
  /// False: the lease was lost and nothing changed.
  bool finish(Job& j, const std::string& lease);
  /// Its files have been fetched: into the queue for its commands. False: the lease was lost, or it is to be cancelled.
  bool pass_on(Job& j, const std::string& lease);
  bool is_to_be_cancelled(const std::string& id);
  /// Back into the queue, as if it had not been taken.
  void give_back(const Job& j, const std::string& lease);
  /// The state after it; nothing where there is no such job.
  std::optional<Job> cancel(const std::string& id);
  /// Of a process that is the database's only user and has just started: nobody works on anything.
  void forget_leases();

  /// Results of an earlier job with the same key.
  std::optional<std::vector<Result>> cached(const std::string& key);

  /// Removes jobs and cached results, the longest unused first, until objects take up no more than `quota` bytes; jobs
  /// that ended before `keep_seconds` ago go in any case. Returns the bytes that are left.
  uint64_t clean(uint64_t quota, double keep_seconds);

  Objects& objects() { return objects_; }
  Sql& sql() { return sql_; }

 private:
  void tell(const std::string& id);
  bool drop_oldest();
  void flush_uses();
  Sql& sql_;
  Objects& objects_;
  std::mutex mutex_;
  std::map<std::string, bool> used_;  ///< cache keys since the last clean()
};

inline constexpr const char* kJobsChannel = "blobsmith_jobs";     ///< there is work
inline constexpr const char* kStateChannel = "blobsmith_states";  ///< a job has changed: its id

}  // namespace blobsmith::serve
