// StridedSlice: slices that take everything vanish, equal ones are shared, and several that cut one axis of a tensor into
// disjoint pieces become one VariadicSplit (front-end spec §5.4, StridedSliceOptimization).
#include <algorithm>

#include "transforms/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

struct Slice {
  Node* node = nullptr;
  std::vector<int64_t> begin, end, stride;  ///< of every axis, inside [0, dimension] where the stride is positive
  std::vector<std::vector<int64_t>> masks;
  bool plain = false;                       ///< keeps the rank: no ellipsis, new or removed axes
  bool same_cut(const Slice& o) const { return begin == o.begin && end == o.end && stride == o.stride && masks == o.masks; }
};

bool any_set(const std::vector<int64_t>& mask) {
  return std::ranges::any_of(mask, [](int64_t m) { return m != 0; });
}

std::vector<int64_t> mask_of(const Node& n, std::string_view name) { return n.attrs.get_or<std::vector<int64_t>>(name, {}); }

int64_t clamped(int64_t v, int64_t dim) { return std::clamp<int64_t>(v < 0 ? v + dim : v, 0, dim); }

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
  for (const char* mask : {"begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask", "ellipsis_mask"}) s.masks.push_back(mask_of(n, mask));
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
    s.begin[i] = masked(0) ? 0 : clamped(s.begin[i], shape[i]);
    s.end[i] = masked(1) ? shape[i] : clamped(s.end[i], shape[i]);
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

struct Piece {
  Node* slice;  ///< nullptr: nobody reads it
  int64_t begin, end;
};

// The one axis that the slices cut, each with stride 1; nothing when they cut none or several.
std::optional<size_t> common_axis(const Source& source) {
  std::optional<size_t> axis;
  const Shape& shape = source.value.shape();
  for (const Slice& s : source.slices)
    for (size_t i = 0; i < shape.size(); ++i) {
      if (s.stride[i] != 1) return std::nullopt;
      if (s.begin[i] == 0 && s.end[i] == shape[i]) continue;
      if (axis && *axis != i) return std::nullopt;
      axis = i;
    }
  return axis;
}

// The pieces in order, with fillers for what no slice takes; empty when they overlap.
std::vector<Piece> pieces_along(const Source& source, size_t axis) {
  std::vector<Piece> cuts, all;
  for (const Slice& s : source.slices) cuts.push_back({s.node, s.begin[axis], s.end[axis]});
  std::ranges::stable_sort(cuts, {}, &Piece::begin);
  int64_t at = 0;
  for (const Piece& p : cuts) {
    if (p.begin < at || p.end <= p.begin) return {};
    if (p.begin > at) all.push_back({nullptr, at, p.begin});
    all.push_back(p);
    at = p.end;
  }
  if (const int64_t dim = source.value.shape()[axis]; at < dim) all.push_back({nullptr, at, dim});
  return all;
}

bool split_source(Rewriter& rw, const Source& source) {
  const auto suits = [](const Slice& s) { return s.plain && !feeds_result(s.node->value()); };
  if (source.slices.size() < 2 || !std::ranges::all_of(source.slices, suits)) return false;
  const auto axis = common_axis(source);
  if (!axis) return false;
  const std::vector<Piece> pieces = pieces_along(source, *axis);
  if (pieces.empty()) return false;
  std::vector<int64_t> lengths;
  for (const Piece& p : pieces) lengths.push_back(p.end - p.begin);
  const Value axis_value = rw.index(static_cast<int64_t>(*axis));
  const Value length_values = rw.indices(lengths);
  Node* split = rw.make("VariadicSplit", {source.value, axis_value, length_values});
  for (size_t i = 0; i < pieces.size(); ++i)
    if (pieces[i].slice) rw.redirect(pieces[i].slice->value(), split->value(static_cast<int>(i)));
  return true;
}

}  // namespace

bool remove_useless_slices(Graph& graph) {
  Rewriter rw(graph);
  bool changed = false;
  for (Node* n : graph.ordered()) {
    Slice s;
    s.node = n;
    if (!n->is("StridedSlice") || n->input(0).shape() != n->shape() || !is_static(n->shape()) || !read_plain(s)) continue;
    if (std::ranges::all_of(s.stride, [](int64_t v) { return v > 0; })) changed |= rw.eliminate(n->value(), n->input(0));
  }
  return changed;
}

bool share_equal_slices(Graph& graph) {
  Rewriter rw(graph);
  bool changed = false;
  for (const Source& source : slices_by_source(graph))
    for (size_t i = 1; i < source.slices.size(); ++i)
      if (source.slices[i].same_cut(source.slices[0])) changed |= rw.eliminate(source.slices[i].node->value(), source.slices[0].node->value());
  return changed;
}

bool slices_to_variadic_split(Graph& graph) {
  Rewriter rw(graph);
  bool changed = false;
  for (const Source& source : slices_by_source(graph)) changed |= split_source(rw, source);
  return changed;
}

}  // namespace blobsmith::transforms
