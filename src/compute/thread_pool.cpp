#include "compute/thread_pool.hpp"

#include <algorithm>
#include <chrono>

namespace blobsmith::compute {
namespace {

/// Loops follow each other closely, and falling asleep and waking up takes longer than most of the pauses.
template <class F>
bool soon(F condition) {
  constexpr auto kPatience = std::chrono::microseconds(200);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  do {
    for (int i = 0; i < 64; ++i) {
      if (condition()) return true;
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    ++loops_;
  }
  wake_.notify_all();
  for (std::thread& t : workers_) t.join();
}

void ThreadPool::run(int64_t count, const std::function<void(int64_t)>& f, int64_t work) {
  if (count <= 1 || work < kLittleWork || workers_.empty()) {
    for (int64_t i = 0; i < count; ++i) f(i);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    body_ = &f;
    next_ = 0;
    count_ = count;
    error_ = nullptr;
    ++loops_;
  }
  wake_.notify_all();
  take_items(f, count);
  {
    const std::lock_guard lock(mutex_);
    body_ = nullptr;  // who has not begun yet is not needed
  }
  if (!soon([this] { return running_ == 0; })) {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return running_ == 0; });
  }
  if (error_) std::rethrow_exception(error_);
}

void ThreadPool::take_items(const std::function<void(int64_t)>& f, int64_t count) {
  for (int64_t i; (i = next_.fetch_add(1)) < count;) {
    try {
      f(i);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      next_ = count;
    }
  }
}

void ThreadPool::work() {
  for (uint64_t seen = 0;;) {
    soon([&] { return loops_ != seen; });
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return loops_ != seen; });
    seen = loops_;
    if (stop_) return;
    if (!body_) continue;
    const std::function<void(int64_t)>& f = *body_;
    const int64_t count = count_;
    ++running_;
    lock.unlock();
    take_items(f, count);
    lock.lock();
    if (--running_ == 0) done_.notify_all();
  }
}

}  // namespace blobsmith::compute
