#include "vpu/blob/trace.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace blobsmith::vpu {
namespace {

class Tracer {
 public:
  explicit Tracer(Program& program) : program_(program) {
    for (const Stage* s : program.stages()) {
      if (s->category() == StageCategory::Special) continue;
      const auto number = static_cast<int>(numbers_.size());
      numbers_[s] = number;
      if (s->injected()) injected_[s->injected()] = number;
    }
    uint32_t inputs = 0, outputs = 0;
    program.for_each_data([&](const Data* d) {
      if (d->usage == DataUsage::Input) io_index_[d] = inputs++;
      if (d->usage == DataUsage::Output) io_index_[d] = outputs++;
    });
  }

  std::vector<TracedTensor> run() {
    std::vector<TracedTensor> list;
    std::set<std::string> names;
    program_.for_each_data([&](const Data* d) { names.insert(d->name); });
    program_.for_each_data([&](const Data* d) {
      if (d->usage != DataUsage::Intermediate && d->usage != DataUsage::Output) return;
      if (d->attrs.has("activated")) return;  // another layer's values, by the pass uplift_activation_stages
      if (d->placement.location == Location::None || d->dims_placement.location != Location::Blob || d->strides_placement.location != Location::Blob) return;
      if (const int stage = last_writer(d); stage >= 0) list.push_back({plain_name(d->name, names), stage, record(*d)});
    });
    std::ranges::stable_sort(list, {}, &TracedTensor::stage);
    return list;
  }

 private:
  static constexpr int kNobody = -1;

  /// A tensor that was given other strides has a postfix; it stands for the original where that is gone.
  static std::string plain_name(const std::string& name, const std::set<std::string>& names) {
    constexpr std::string_view kPostfix = "@adjust-strides";
    if (!name.ends_with(kPostfix)) return name;
    std::string plain = name.substr(0, name.size() - kPostfix.size());
    return names.contains(plain) ? name : plain;
  }

  /// Special stages are not executed: what they shape was written by the writers of their inputs.
  int last_writer(const Data* d) {
    if (const auto it = writers_.find(d); it != writers_.end()) return it->second;
    writers_[d] = kNobody;
    const Stage* s = d->producer_stage();
    int number = kNobody;
    if (s) {
      if (const auto it = numbers_.find(s); it != numbers_.end()) number = it->second;
      else if (const auto ride = injected_.find(s); ride != injected_.end()) number = ride->second;
      else
        for (const Data* input : s->inputs()) number = std::max(number, last_writer(input));
    }
    return writers_[d] = number;
  }

  BlobBuffer record(const Data& d) const {
    BlobBuffer r;
    r.role = d.name;
    r.desc.type = d.desc.type;
    r.desc.order = d.desc.order;
    const DimValues strides = d.strides();
    for (const Dim dim : d.desc.order.dims()) {
      r.desc.dims.push_back(d.desc.dim(dim));
      r.desc.strides.push_back(strides[dim]);
    }
    r.location = d.placement.location;
    r.offset = static_cast<uint32_t>(d.placement.offset);
    if (const auto it = io_index_.find(d.top_parent()); it != io_index_.end()) r.io = {it->second, static_cast<uint32_t>(d.top_parent()->total_bytes())};
    return r;
  }

  Program& program_;
  std::map<const Stage*, int> numbers_, injected_;
  std::map<const Data*, uint32_t> io_index_;
  std::map<const Data*, int> writers_;
};

}  // namespace

std::vector<TracedTensor> trace_tensors(Program& program) { return Tracer(program).run(); }

}  // namespace blobsmith::vpu
