#include "compute/thread_pool.hpp"

#include <algorithm>

namespace blobsmith::compute {

ThreadPool::ThreadPool(int threads) {
  if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
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
  }
  wake_.notify_all();
  take_items(f, count);
  std::unique_lock lock(mutex_);
  body_ = nullptr;  // who has not woken up yet is not needed
  done_.wait(lock, [this] { return running_ == 0; });
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
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || (body_ && next_ < count_); });
    if (stop_) return;
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
