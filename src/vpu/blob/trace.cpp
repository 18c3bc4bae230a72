#include "vpu/blob/trace.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
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
    program_.for_each_data([&](const Data* d) {
      if (!is_whole(*d)) return;
      if (const int stage = last_writer(d); stage >= 0) list.push_back({d->name, stage, record(*d), {}});
    });
    std::ranges::stable_sort(list, {}, &TracedTensor::stage);
    return with_plain_names(std::move(list));
  }

 private:
  static constexpr int kNobody = -1;

  /// Computed by a stage, of known place and shape.
  static bool is_whole(const Data& d) {
    if (d.usage != DataUsage::Intermediate && d.usage != DataUsage::Output) return false;
    if (d.marks.activated) return false;  // another layer's values, by the pass uplift_activation_stages
    const auto fixed = [](const Placement& p) {
      return p.location == Location::Blob || p.location == Location::None;
    };  // none: no stage reads it under this shape
    return d.placement.location != Location::None && fixed(d.dims_placement) && fixed(d.strides_placement);
  }

  // ---- names ----
  /// Wholes by the names of their layers; then what exists in parts, or item by item, alone.
  static std::vector<TracedTensor> with_plain_names(std::vector<TracedTensor> all) {
    std::set<std::string> wholes;
    for (const TracedTensor& t : all) wholes.insert(t.name);
    for (TracedTensor& t : all) {  // the first one that was copied stands for the original where that is gone
      std::string plain = without_copies(t.name);
      if (plain == t.name || !wholes.insert(plain).second) continue;
      t.name = std::move(plain);
    }
    std::set<std::string> seen;
    for (TracedTensor& t : all) {
      std::optional<PartName> part = part_name(without_copies(t.name));
      if (!part || wholes.contains(part->whole)) continue;
      if (part->axis && t.record.desc.order.position(*part->axis) < 0) continue;
      if (!seen.insert(without_copies(t.name)).second) continue;
      if (part->axis)
        t.part = {part->index, part->count, framework_axis(*part->axis, static_cast<int>(t.record.desc.dims.size()))};
      t.name = std::move(part->whole);
    }
    return all;
  }

  /// Tensors with other strides, or in another memory, have postfixes.
  static std::string without_copies(std::string name) {
    constexpr std::string_view kPostfixes[] = {"@adjust-strides", "@copy", "@DDR-copy", "@aligned", "@intermediate"};
    for (bool found = true; found;) {
      found = false;
      for (const std::string_view postfix : kPostfixes)
        if (name.ends_with(postfix)) {
          name.resize(name.size() - postfix.size());
          found = true;
        }
    }
    return name;
  }

  struct PartName {
    std::string whole;
    int index = 0, count = 1;
    std::optional<Dim> axis;  ///< none: an item of a loop
  };
  /// "conv@tile=2/8": output channels; "conv@batch=1/3": items of the batch; "conv@loop": one item at a time.
  static std::optional<PartName> part_name(const std::string& name) {
    const size_t at = name.rfind('@');
    if (at == std::string::npos) return std::nullopt;
    const std::string_view postfix = std::string_view(name).substr(at + 1);
    if (postfix == "loop") return PartName{name.substr(0, at), 0, 1, std::nullopt};
    for (const auto& [kind, axis] : {std::pair<std::string_view, Dim>{"tile=", Dim::C}, {"batch=", Dim::N}}) {
      if (!postfix.starts_with(kind)) continue;
      const char *begin = postfix.data() + kind.size(), *end = postfix.data() + postfix.size();
      int index = 0, count = 0;
      const auto first = std::from_chars(begin, end, index);
      if (first.ec != std::errc() || first.ptr == end || *first.ptr != '/') continue;
      const auto second = std::from_chars(first.ptr + 1, end, count);
      if (second.ec != std::errc() || second.ptr != end || index < 1 || index > count) continue;
      return PartName{name.substr(0, at), index - 1, count, axis};
    }
    return std::nullopt;
  }
  static int framework_axis(Dim d, int rank) { return rank - 1 - DimsOrder::of_rank(rank).position(d); }

  // ---- places and times ----
  /// Special stages are not executed: what they shape was written by the writers of their inputs.
  int last_writer(const Data* d) {
    if (const auto it = writers_.find(d); it != writers_.end()) return it->second;
    writers_[d] = kNobody;
    const Stage* s = d->producer_stage();
    int number = kNobody;
    if (s) {
      if (const auto it = numbers_.find(s); it != numbers_.end())
        number = it->second;
      else if (const auto ride = injected_.find(s); ride != injected_.end())
        number = ride->second;
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
    if (const auto it = io_index_.find(d.top_parent()); it != io_index_.end())
      r.io = {it->second, static_cast<uint32_t>(d.top_parent()->total_bytes())};
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
