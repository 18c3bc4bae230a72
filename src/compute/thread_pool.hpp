// A few threads that share loops of independent iterations.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace blobsmith::compute {

class ThreadPool {
 public:
  /// `threads` counts the caller; 0: one per processor.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }
  /// Calls f(0) .. f(count - 1), in any order, and returns when all are done. Rethrows the first exception. f must not call run.
  void run(int64_t count, const std::function<void(int64_t)>& f);

 private:
  void work();
  void take_items(std::unique_lock<std::mutex>& lock);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int64_t)>* body_ = nullptr;
  int64_t next_ = 0, count_ = 0, running_ = 0;
  bool stop_ = false;
  std::exception_ptr error_;
};

}  // namespace blobsmith::compute
