// A few threads that share loops of independent iterations.
#pragma once
#include <algorithm>
#include <atomic>
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
  /// Calls f(0) .. f(count - 1), in any order, and returns when all are done. Rethrows the first exception. f must not
  /// call run. `work`: about how many arithmetic operations that takes in all; little work is not worth waking others
  /// for.
  void run(int64_t count, const std::function<void(int64_t)>& f, int64_t work = kLittleWork);
  /// The same in ranges: calls f(begin, end) for parts that make up [0, count).
  template <class F>
  void run_ranges(int64_t count, F f, int64_t work) {
    if (count <= 0) return;
    const int64_t parts = work < kLittleWork ? 1 : std::min<int64_t>(count, 4 * threads());
    run(parts, [&](int64_t part) { f(count * part / parts, count * (part + 1) / parts); }, work);
  }

  static constexpr int64_t kLittleWork = 1
                                         << 16;  ///< less is done by the caller alone: sharing takes some microseconds

 private:
  void work();
  void take_items(const std::function<void(int64_t)>& f, int64_t count);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int64_t)>* body_ = nullptr;
  std::atomic<int64_t> next_ = 0, running_ = 0;  ///< running_: workers inside a loop
  int64_t count_ = 0;
  std::atomic<uint64_t> loops_ = 0;  ///< begun so far; changes when there is something to do, or an end
  bool stop_ = false;
  std::exception_ptr error_;
};

}  // namespace blobsmith::compute
