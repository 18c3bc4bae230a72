#include "estimate/sweep.hpp"

#include <algorithm>
#include <exception>

#include "core/parallel.hpp"
#include "vpu/format/reader.hpp"

namespace blobsmith::estimate {
namespace {

void fill(ShaveEstimate& entry, const vpu::Prepared& network, vpu::CompileOptions options, const Control& control,
          const Constants& constants) {
  options.shaves = options.slices = entry.shaves;
  const int streams = streams_for(entry.shaves, entry.shaves);
  options.streams = streams;
  Diagnostics ignored;
  const ChunkedBytes bytes = vpu::compile(network, options, ignored, nullptr, control);
  entry.estimate = estimate(vpu::read_blob(Bytes::adopt(bytes.joined())), constants, streams);
}

}  // namespace

std::vector<ShaveEstimate> sweep(const vpu::Prepared& network, const vpu::CompileOptions& options,
                                 const Control& control, const Constants& constants, int most) {
  std::vector<ShaveEstimate> entries(static_cast<size_t>(most));
  std::vector<std::exception_ptr> failures(entries.size());
  in_parallel(entries.size(), control, "converting", [&](size_t i) {
    entries[i].shaves = static_cast<int>(i) + 1;
    try {
      fill(entries[i], network, options, {{}, control.stop}, constants);
    } catch (const std::exception& e) {
      entries[i].error = e.what();
      failures[i] = std::current_exception();
    }
  });
  if (std::ranges::all_of(failures, [](const auto& f) { return f != nullptr; })) std::rethrow_exception(failures[0]);
  return entries;
}

const ShaveEstimate& best(const std::vector<ShaveEstimate>& entries) {
  double most = 0;
  for (const ShaveEstimate& e : entries) most = std::max(most, e.estimate.fps);
  return *std::ranges::find_if(entries, [&](const ShaveEstimate& e) { return e.estimate.fps >= 0.99 * most; });
}

}  // namespace blobsmith::estimate
