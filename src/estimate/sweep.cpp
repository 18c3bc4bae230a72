#include "estimate/sweep.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "vpu/compile.hpp"
#include "vpu/format/reader.hpp"

namespace blobsmith::estimate {
namespace {

void fill(SweepEntry& entry, const std::function<Graph()>& network, vpu::CompileOptions options,
          const Constants& constants) {
  options.shaves = options.slices = entry.shaves;
  const int streams = streams_for(entry.shaves, entry.shaves);
  options.streams = streams;
  Diagnostics ignored;
  const ChunkedBytes bytes = vpu::compile(network(), options, ignored);
  entry.estimate = estimate(vpu::read_blob(Bytes::adopt(bytes.joined())), constants, streams);
}

}  // namespace

std::vector<SweepEntry> sweep(const std::function<Graph()>& network, const vpu::CompileOptions& options,
                              const Constants& constants, int most) {
  std::vector<SweepEntry> entries(static_cast<size_t>(most));
  std::vector<std::exception_ptr> failures(entries.size());
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t i = next++; i < entries.size(); i = next++) {
      entries[i].shaves = static_cast<int>(i) + 1;
      try {
        fill(entries[i], network, options, constants);
      } catch (const std::exception& e) {
        entries[i].error = e.what();
        failures[i] = std::current_exception();
      }
    }
  };
  std::vector<std::thread> threads(std::clamp(std::thread::hardware_concurrency(), 1u, 16u) - 1);
  for (std::thread& t : threads) t = std::thread(work);
  work();
  for (std::thread& t : threads) t.join();
  if (std::ranges::all_of(failures, [](const auto& f) { return f != nullptr; })) std::rethrow_exception(failures[0]);
  return entries;
}

const SweepEntry& best(const std::vector<SweepEntry>& entries) {
  double most = 0;
  for (const SweepEntry& e : entries) most = std::max(most, e.estimate.fps);
  return *std::ranges::find_if(entries, [&](const SweepEntry& e) { return e.estimate.fps >= 0.99 * most; });
}

}  // namespace blobsmith::estimate
