#include "core/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "core/control.hpp"

namespace blobsmith {

void in_parallel(size_t count, const Control& control, std::string_view phase,
                 const std::function<void(size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::mutex guard;
  std::exception_ptr failure;
  const auto loop = [&](const Control* told) {
    try {
      for (size_t i = next++; i < count && !control.stop.stop_requested(); i = next++) {
        if (told) report(*told, phase, static_cast<double>(i) / static_cast<double>(count));
        work(i);
      }
    } catch (...) {
      next = count;
      const std::lock_guard lock(guard);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    const size_t most = std::min<size_t>(count, std::max(1u, std::thread::hardware_concurrency()));
    std::vector<std::jthread> others;
    for (size_t i = 1; i < most; ++i) others.emplace_back([&] { loop(nullptr); });
    loop(&control);
  }
  if (failure) std::rethrow_exception(failure);
  check_stop(control);
}

}  // namespace blobsmith
