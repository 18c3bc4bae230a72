#include "compare/blob_tensors.hpp"

#include <algorithm>
#include <span>

#include "emulator/access.hpp"

namespace blobsmith::comparison {
namespace {

/// `b` behind `a` along `axis`; false when they do not fit.
bool append(FloatTensor& a, const FloatTensor& b, size_t axis) {
  if (a.shape.size() != b.shape.size() || axis >= a.shape.size()) return false;
  size_t inner = 1, outer = 1;
  for (size_t i = 0; i < a.shape.size(); ++i) {
    if (i != axis && a.shape[i] != b.shape[i]) return false;
    if (i < axis) outer *= static_cast<size_t>(a.shape[i]);
    if (i > axis) inner *= static_cast<size_t>(a.shape[i]);
  }
  const size_t from_a = inner * static_cast<size_t>(a.shape[axis]), from_b = inner * static_cast<size_t>(b.shape[axis]);
  std::vector<float> values;
  values.reserve(outer * (from_a + from_b));
  for (size_t i = 0; i < outer; ++i) {
    const auto first = a.values.cbegin() + static_cast<ptrdiff_t>(i * from_a),
               second = b.values.cbegin() + static_cast<ptrdiff_t>(i * from_b);
    values.insert(values.end(), first, first + static_cast<ptrdiff_t>(from_a));
    values.insert(values.end(), second, second + static_cast<ptrdiff_t>(from_b));
  }
  a.values = std::move(values);
  a.shape[axis] += b.shape[axis];
  return true;
}

/// A further batch item, or turn of a loop over the batch.
bool append_item(FloatTensor& all, const FloatTensor& item) {
  if (all.shape.size() != item.shape.size() || (all.shape.empty() && item.values.empty())) return false;
  if (!all.shape.empty()) all.shape[0] += item.shape[0];
  all.values.insert(all.values.end(), item.values.begin(), item.values.end());
  return true;
}

}  // namespace

// Stages run in order but for turns of loops and further batch items, which begin again at an earlier one.
void BlobTensors::see(const StageEvent& e) {
  if (e.injected) return;
  if (e.index <= last_stage_)
    next_ = static_cast<size_t>(std::ranges::lower_bound(wanted_, e.index, {}, &vpu::TracedTensor::stage) -
                                wanted_.begin());
  last_stage_ = e.index;
  take(e.index);
}

void BlobTensors::take(int stage) {
  for (; next_ < wanted_.size() && wanted_[next_].stage <= stage; ++next_) {
    const vpu::TracedTensor& t = wanted_[next_];
    std::vector<Piece>& list = pieces_[t.name];
    if (list.empty()) order_.push_back(t.name);
    list.push_back({t.part, EmulatorAccess::tensor(emulator_, t.record)});
    stages_[t.name] = t.stage;
  }
}

bool BlobTensors::join(std::vector<Piece>& pieces, FloatTensor& whole) {
  const auto count = static_cast<size_t>(pieces[0].part.count), axis = static_cast<size_t>(pieces[0].part.axis);
  if (pieces.size() % count != 0) return false;
  for (size_t first = 0; first < pieces.size(); first += count) {
    const auto round = std::span(pieces).subspan(first, count);
    std::ranges::stable_sort(round, {}, [](const Piece& p) { return p.part.index; });
    FloatTensor item = std::move(round[0].values);
    for (size_t k = 0; k < count; ++k) {
      if (round[k].part.index != static_cast<int>(k)) return false;
      if (k > 0 && !append(item, round[k].values, axis)) return false;
    }
    if (first == 0)
      whole = std::move(item);
    else if (!append_item(whole, item))
      return false;
  }
  return true;
}

std::vector<FoundTensor> BlobTensors::finish() {
  take(INT32_MAX);  // what a loop at the end of the network wrote
  std::vector<FoundTensor> list;
  for (const std::string& name : order_) {
    FoundTensor f{name, {}, stages_.at(name)};
    if (join(pieces_.at(name), f.tensor)) list.push_back(std::move(f));
  }
  return list;
}

}  // namespace blobsmith::comparison
