#include "estimate/sweep.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "vpu/compile.hpp"
#include "vpu/format/reader.hpp"

namespace blobsmith::estimate {
namespace {

void fill(ShaveEstimate& entry, const std::function<Graph()>& network, vpu::CompileOptions options,
          const Control& control, const Constants& constants) {
  options.shaves = options.slices = entry.shaves;
  const int streams = streams_for(entry.shaves, entry.shaves);
  options.streams = streams;
  Diagnostics ignored;
  const ChunkedBytes bytes = vpu::compile(network(), options, ignored, nullptr, control);
  entry.estimate = estimate(vpu::read_blob(Bytes::adopt(bytes.joined())), constants, streams);
}

}  // namespace

std::vector<ShaveEstimate> sweep(const std::function<Graph()>& network, const vpu::CompileOptions& options,
                                 const Control& control, const Constants& constants, int most) {
  std::vector<ShaveEstimate> entries(static_cast<size_t>(most));
  std::vector<std::exception_ptr> failures(entries.size());
  std::atomic<size_t> next = 0;
  const auto work = [&](const Control* told) {
    for (size_t i = next++; i < entries.size() && !control.stop.stop_requested(); i = next++) {
      if (told) report(*told, "converting", static_cast<double>(i) / most);
      entries[i].shaves = static_cast<int>(i) + 1;
      try {
        fill(entries[i], network, options, {{}, control.stop}, constants);
      } catch (const std::exception& e) {
        entries[i].error = e.what();
        failures[i] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads(std::clamp(std::thread::hardware_concurrency(), 1u, 16u) - 1);
    for (std::jthread& t : threads) t = std::jthread([&] { work(nullptr); });
    try {
      work(&control);  // only here: progress is told on the caller's thread
    } catch (...) {
      next = entries.size();
      throw;
    }
  }
  check_stop(control);
  if (std::ranges::all_of(failures, [](const auto& f) { return f != nullptr; })) std::rethrow_exception(failures[0]);
  return entries;
}

const ShaveEstimate& best(const std::vector<ShaveEstimate>& entries) {
  double most = 0;
  for (const ShaveEstimate& e : entries) most = std::max(most, e.estimate.fps);
  return *std::ranges::find_if(entries, [&](const ShaveEstimate& e) { return e.estimate.fps >= 0.99 * most; });
}

}  // namespace blobsmith::estimate
