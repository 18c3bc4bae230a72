// StridedSlice: slices that take everything vanish, equal ones are shared (front-end spec §5.4,
// StridedSliceOptimization), and those that cut one axis into disjoint pieces become one split.
//
// Each slice is first brought into one form: a begin, an end and a stride for every axis, with masks and negative
// numbers resolved. x[:, 2:-1] of [4, 8] is begin [0, 2], end [4, 7], stride [1, 1]. It vanishes where that is the
// whole tensor; two slices of one tensor are the same where these numbers are, and then the second one's readers read
// the first.
#include <algorithm>

#include "core/release.hpp"
#include "graph/ops/slice_plan.hpp"
#include "transforms/conversion/passes.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {
namespace {

struct Slice {
  Node* node = nullptr;
  std::vector<int64_t> begin, end, stride;  ///< of every axis, inside [0, dimension] where the stride is positive
  std::vector<std::vector<int64_t>> masks;
  bool plain = false;  ///< keeps the rank: no ellipsis, new or removed axes
  bool same_cut(const Slice& o) const {
    return begin == o.begin && end == o.end && stride == o.stride && masks == o.masks;
  }
};

bool any_set(const std::vector<int64_t>& mask) {
  return std::ranges::any_of(mask, [](int64_t m) { return m != 0; });
}

std::vector<int64_t> mask_of(const Node& n, std::string_view name) {
  return n.attrs.get_or<std::vector<int64_t>>(name, {});
}

// Begin, end and stride of a slice without special axes; false where they are not constant.
bool read_plain(Slice& s) {
  const Node& n = *s.node;
  const Tensor* begin = constant_of(n.input(1));
  const Tensor* end = constant_of(n.input(2));
  const Tensor* stride = n.input_count() > 3 ? constant_of(n.input(3)) : nullptr;
  if (!begin || !end || (n.input_count() > 3 && !stride) || !is_static(n.input(0).shape())) return false;
  s.begin = begin->to_i64();
  s.end = end->to_i64();
  s.stride = stride ? stride->to_i64() : std::vector<int64_t>(s.begin.size(), 1);
  for (const char* mask : {"begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask", "ellipsis_mask"})
    s.masks.push_back(mask_of(n, mask));
  s.plain = !any_set(s.masks[2]) && !any_set(s.masks[3]) && !any_set(s.masks[4]);
  return s.end.size() == s.begin.size() && s.stride.size() == s.begin.size();
}

// Fills in the axes that the inputs leave out and applies the masks.
void normalize(Slice& s) {
  const Shape& shape = s.node->input(0).shape();
  const size_t stated = std::min(s.begin.size(), shape.size());
  s.begin.resize(shape.size(), 0);
  s.end.resize(shape.size(), 0);
  s.stride.resize(shape.size(), 1);
  for (size_t i = 0; i < shape.size(); ++i) {
    if (s.stride[i] <= 0) continue;
    const auto masked = [&](size_t mask) { return i >= stated || (i < s.masks[mask].size() && s.masks[mask][i] != 0); };
    s.begin[i] = masked(0) ? 0 : ops::cut_bound(s.begin[i], shape[i]);
    s.end[i] = std::max(masked(1) ? shape[i] : ops::cut_bound(s.end[i], shape[i]), s.begin[i]);
    // One element, whatever the step.
    if (const int64_t size = s.end[i] - s.begin[i]; size > 0 && s.stride[i] >= size) {
      s.end[i] = s.begin[i] + 1;
      s.stride[i] = 1;
    }
  }
  s.masks.erase(s.masks.begin(), s.masks.begin() + 2);  // applied
}

struct Source {
  Value value;
  std::vector<Slice> slices;
};

// The slices with constant bounds, by the tensor that they cut, in order of first use.
std::vector<Source> slices_by_source(Graph& graph) {
  std::vector<Source> sources;
  for (Node* n : graph.ordered()) {
    Slice s;
    s.node = n;
    if (!n->is("StridedSlice") || !read_plain(s)) continue;
    if (s.plain) normalize(s);
    const auto it = std::ranges::find(sources, n->input(0), &Source::value);
    (it != sources.end() ? *it : sources.emplace_back(Source{n->input(0), {}})).slices.push_back(std::move(s));
  }
  return sources;
}

}  // namespace

bool remove_useless_slices(Graph& graph) {
  Rewriter rw(graph);
  bool changed = false;
  for (Node* n : graph.ordered()) {
    Slice s;
    s.node = n;
    if (!n->is("StridedSlice") || n->input(0).shape() != n->shape() || !is_static(n->shape()) || !read_plain(s))
      continue;
    if (std::ranges::all_of(s.stride, [](int64_t v) { return v > 0; }))
      changed |= rw.eliminate(n->value(), n->input(0));
  }
  return changed;
}

// quirk: only slices that equal the first one of a tensor are shared.
bool share_equal_slices(Graph& graph) {
  Rewriter rw(graph);
  bool changed = false;
  for (const Source& source : slices_by_source(graph))
    for (size_t i = 1; i < source.slices.size(); ++i)
      if (source.slices[i].same_cut(source.slices[0]))
        changed |= rw.eliminate(source.slices[i].node->value(), source.slices[0].node->value());
  return changed;
}

namespace {

/// A piece of an axis; no slice where it is a gap.
struct Piece {
  Node* slice = nullptr;
  int64_t begin = 0, end = 0;
};

// The axis that all slices cut, each in another place, in steps of 1; nothing where they do anything else.
std::optional<int64_t> cut_axis(const Source& source) {
  const Shape& shape = source.value.shape();
  std::optional<int64_t> axis;
  for (const Slice& s : source.slices) {
    if (!s.plain || s.begin.size() != shape.size()) return std::nullopt;
    for (const char* mask : {"new_axis_mask", "shrink_axis_mask", "ellipsis_mask"})
      if (!mask_of(*s.node, mask).empty()) return std::nullopt;
    for (size_t i = 0; i < shape.size(); ++i) {
      if (s.begin[i] == 0 && s.end[i] == shape[i]) continue;
      if (axis && *axis != static_cast<int64_t>(i)) return std::nullopt;
      if (s.stride[i] != 1 || feeds_result(s.node->value())) return std::nullopt;
      axis = static_cast<int64_t>(i);
    }
  }
  return axis;
}

// All pieces of the axis in order, gaps included; none where two overlap.
std::vector<Piece> pieces_of(const Source& source, int64_t axis) {
  const auto at = static_cast<size_t>(axis);
  const int64_t size = source.value.shape()[at];
  std::vector<Piece> cut, all;
  for (const Slice& s : source.slices)
    if (s.begin[at] != 0 || s.end[at] != size) cut.push_back({s.node, s.begin[at], s.end[at]});
  if (cut.size() < 2) return {};
  std::ranges::stable_sort(cut, {}, &Piece::begin);
  int64_t end = 0;
  for (const Piece& p : cut) {
    if (p.begin < end || p.end < p.begin) return {};
    if (p.begin > end) all.push_back({nullptr, end, p.begin});
    all.push_back(p);
    end = p.end;
  }
  if (end > size) return {};
  if (end < size) all.push_back({nullptr, end, size});
  return all;
}

}  // namespace

bool split_into_slices(Graph& graph) {
  Rewriter rw(graph);
  bool changed = false;
  for (const Source& source : slices_by_source(graph)) {
    if (source.slices.size() < 2) continue;
    const auto axis = cut_axis(source);
    const std::vector<Piece> pieces = axis ? pieces_of(source, *axis) : std::vector<Piece>();
    if (pieces.empty()) continue;
    std::vector<int64_t> sizes;
    for (const Piece& p : pieces) sizes.push_back(p.end - p.begin);
    const Value along = rw.index(*axis), lengths = rw.indices(sizes);
    Node* split = rw.make("VariadicSplit", {source.value, along, lengths});
    for (size_t i = 0; i < pieces.size(); ++i) {
      if (!pieces[i].slice) continue;
      const auto port = static_cast<int>(i);
      rw.redirect(pieces[i].slice->value(), split->value(port));
      if (graph.release->outputs_by_tensor) split->output(port).name = pieces[i].slice->name;
    }
    changed = true;
  }
  return changed;
}

}  // namespace blobsmith::transforms
