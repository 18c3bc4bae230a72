// Buffers overlap: views into one another, tiles of a plane, memory that is used again. So every memory is cut at the
// ends of all buffers, and each of the pieces has a life of its own: two stages that write bytes 0..8 and 8..16, and a
// third that reads 0..16, make two pieces.
#include "estimate/live_memory.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace blobsmith::estimate {
namespace {

using vpu::Location;

struct Access {
  size_t stage;
  int64_t begin, end;
  bool writes;
};

/// Adds `bytes` to the stages from `first` up to, not including, `end`.
void add(std::vector<double>& changes, size_t first, size_t end, double bytes) {
  if (first >= end) return;
  changes[first] += bytes;
  changes[end] -= bytes;
}

/// Of one memory; `accesses` in the order of the stages, reads before writes. Written into `changes` from one stage to
/// the next, which has one entry more than there are stages.
void trace(const std::vector<Access>& accesses, bool filled_before, bool read_after, std::vector<double>& changes) {
  std::vector<int64_t> cuts;
  for (const Access& a : accesses) cuts.insert(cuts.end(), {a.begin, a.end});
  std::ranges::sort(cuts);
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  constexpr size_t kNever = SIZE_MAX;
  std::vector<size_t> alive_to(cuts.size(), filled_before ? 0 : kNever);  // first stage not counted yet
  for (const Access& a : accesses) {
    size_t i = static_cast<size_t>(std::ranges::lower_bound(cuts, a.begin) - cuts.begin());
    for (; cuts[i] < a.end; ++i) {
      const bool holds_value = alive_to[i] != kNever && !a.writes;
      const size_t first = holds_value ? alive_to[i] : alive_to[i] == a.stage + 1 ? a.stage + 1 : a.stage;
      add(changes, first, a.stage + 1, static_cast<double>(cuts[i + 1] - cuts[i]));
      alive_to[i] = a.stage + 1;
    }
  }
  if (!read_after) return;
  for (size_t i = 0; i + 1 < cuts.size(); ++i)
    if (alive_to[i] != kNever)
      add(changes, alive_to[i], changes.size() - 1, static_cast<double>(cuts[i + 1] - cuts[i]));
}

class Tracer {
 public:
  explicit Tracer(const vpu::Blob& blob) {
    for (size_t i = 0; i < blob.stages.size(); ++i)
      for (const bool writes : {false, true}) stage(blob.stages[i], i, writes);
  }
  LiveMemory result(size_t stages) {
    std::vector<double> cmx(stages + 1), ddr(stages + 1);
    for (const auto& [place, accesses] : memories_)
      trace(accesses, place.first == Location::Input, place.first == Location::Output,
            place.first == Location::CMX ? cmx : ddr);
    for (auto* changes : {&cmx, &ddr}) {
      for (size_t i = 1; i < changes->size(); ++i) (*changes)[i] += (*changes)[i - 1];
      changes->pop_back();
    }
    return {std::move(cmx), std::move(ddr)};
  }

 private:
  void stage(const vpu::BlobStage& s, size_t index, bool writes) {
    for (const vpu::BlobBuffer& b : s.buffers) {
      if (b.is_fake() || b.location == Location::Blob || b.desc.is_dynamic()) continue;
      if ((b.role.starts_with("out") || b.role.starts_with("temp")) != writes) continue;
      const int64_t extent = vpu::tensor_extent(b.desc.type, b.desc.dims, b.desc.strides).value_or(0);
      constexpr int64_t kMostBytes = int64_t{1} << 40;  // no device has them
      if (extent > 0 && extent < kMostBytes)
        memories_[{b.location, b.io.index}].push_back({index, b.offset, b.offset + extent, writes});
    }
    if (s.injected) stage(*s.injected, index, writes);
  }

  std::map<std::pair<Location, uint32_t>, std::vector<Access>> memories_;
};

}  // namespace

LiveMemory live_memory(const vpu::Blob& blob) { return Tracer(blob).result(blob.stages.size()); }

}  // namespace blobsmith::estimate
