// Repeating and padding of what the VPU's stages don't take: integers, and tensors of other than three or four axes.
// Both become Gathers of constant positions.
#include <algorithm>

#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

using transforms::constant_of;

/// x with leading ones, up to this rank.
Value ranked(Terms& t, Value x, size_t rank) {
  if (x.shape().size() >= rank) return x;
  Shape s = x.shape();
  s.insert(s.begin(), rank - s.size(), 1);
  return t.reshape(x, s);
}

Value repeat(Terms& t, Value x, const std::vector<int64_t>& times) {
  for (size_t a = 0; a < times.size(); ++a) {
    if (times[a] == 1) continue;
    std::vector<int64_t> at;
    for (int64_t i = 0; i < times[a]; ++i)
      for (int64_t k = 0; k < x.shape()[a]; ++k) at.push_back(k);
    x = t.gather(x, at, static_cast<int64_t>(a));
  }
  return x;
}

bool repeats_integers(const Node& n) {
  return is_whole(n.element_type()) && constant_of(n.input(1)) && is_static(n.input(0).shape()) && is_static(n.shape());
}

/// Of every axis of the result.
std::vector<int64_t> repeats_of(const Node& tile) {
  std::vector<int64_t> times = tile.input(1).node->constant.to_i64();
  times.insert(times.begin(), tile.shape().size() - times.size(), 1);
  return times;
}

Value tile(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Value x = repeat(t, ranked(t, n.input(0), n.shape().size()), repeats_of(n));
  return x == n.input(0) ? t.reshape(x, n.shape()) : x;
}

/// Lists of repeats that are longer or shorter than the input's shape.
bool repeats_other_axes(const Node& n) {
  const Tensor* times = constant_of(n.input(1));
  return times && is_static(n.input(0).shape()) && element_count(times->shape) > 0 &&
         times->to_i64().size() != n.input(0).shape().size();
}
Value tile_of_rank(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Value x = ranked(t, n.input(0), n.shape().size());
  return t.make("Tile", {x, rw.indices(repeats_of(n))});
}

Value broadcast(Rewriter& rw, const Node& n) {
  Terms t(rw);
  Value x = n.input(0);
  if (n.attrs.text("mode", "numpy") == "explicit") {
    const std::vector<int64_t> axes = transforms::normalized_axes(n.input(2).node->constant.to_i64(), n.shape().size());
    Shape spread(n.shape().size(), 1);
    for (size_t i = 0; i < axes.size(); ++i) spread[static_cast<size_t>(axes[i])] = x.shape()[i];
    x = t.reshape(x, spread);
  }
  x = ranked(t, x, n.shape().size());
  std::vector<int64_t> times;
  for (size_t i = 0; i < n.shape().size(); ++i) times.push_back(x.shape()[i] == n.shape()[i] ? 1 : n.shape()[i]);
  const Value y = repeat(t, x, times);
  return y == n.input(0) ? t.reshape(y, n.shape()) : y;
}

bool broadcasts_integers(const Node& n) {
  if (!repeats_integers(n)) return false;
  return n.attrs.text("mode", "numpy") != "explicit" || (n.input_count() > 2 && constant_of(n.input(2)));
}

// ---- Pad ------------------------------------------------------------------------------------------------------------

struct Pads {
  std::vector<int64_t> begin, end;
};
std::optional<Pads> pads_of(const Node& n) {
  if (!constant_of(n.input(1)) || !constant_of(n.input(2)) || !is_static(n.input(0).shape())) return std::nullopt;
  return Pads{n.input(1).node->constant.to_i64(), n.input(2).node->constant.to_i64()};
}

bool cuts(const Pads& p) {
  const auto negative = [](int64_t v) { return v < 0; };
  return std::ranges::any_of(p.begin, negative) || std::ranges::any_of(p.end, negative);
}

bool is_padded_otherwise(const Node& n) {
  const auto p = pads_of(n);
  if (!p) return false;
  const size_t rank = n.shape().size();
  const std::string mode = n.attrs.text("pad_mode", "constant");
  const bool repeats_items = rank == 4 && mode != "constant" && (p->begin[0] != 0 || p->end[0] != 0);
  const bool has_stage =
      is_float(n.element_type()) && (rank == 3 || rank == 4) && !cuts(*p) && mode != "wrap" && !repeats_items;
  if (has_stage) return false;
  // a computed value would be spread over the pads
  return mode != "constant" || n.input_count() < 4 || constant_of(n.input(3)) || n.input(3).shape().empty();
}

/// Where the element i of an axis padded in front by `begin` comes from; `size` elements.
int64_t source(const std::string& mode, int64_t i, int64_t begin, int64_t size) {
  const auto modulo = [](int64_t a, int64_t b) { return ((a % b) + b) % b; };
  const int64_t k = i - begin;
  if (mode == "edge") return std::clamp<int64_t>(k, 0, size - 1);
  if (mode == "wrap") return modulo(k, size);
  if (mode == "reflect") {
    if (size == 1) return 0;
    const int64_t m = modulo(k, 2 * (size - 1));
    return m < size ? m : 2 * (size - 1) - m;
  }
  const int64_t m = modulo(k, 2 * size);
  return m < size ? m : 2 * size - 1 - m;
}

Value pad(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Pads p = *pads_of(n);
  const std::string mode = n.attrs.text("pad_mode", "constant");
  Value x = n.input(0);
  for (size_t a = 0; a < p.begin.size(); ++a) {
    const auto axis = static_cast<int64_t>(a);
    const int64_t size = x.shape()[a];
    if (p.begin[a] == 0 && p.end[a] == 0) continue;
    if (mode != "constant") {
      std::vector<int64_t> at;
      for (int64_t i = 0; i < size + p.begin[a] + p.end[a]; ++i) at.push_back(source(mode, i, p.begin[a], size));
      x = t.gather(x, at, axis);
      continue;
    }
    x = t.slice(x, axis, std::max<int64_t>(0, -p.begin[a]), size - std::max<int64_t>(0, -p.end[a]));
    const auto block = [&](int64_t length) {
      Shape s = x.shape();
      s[a] = length;
      if (n.input_count() < 4) return t.filled(x.type(), s, 0);
      if (const auto v = transforms::uniform_value(n.input(3))) return t.filled(x.type(), s, *v);
      return t.add(t.filled(x.type(), s, 0), n.input(3));
    };
    std::vector<Value> parts;
    if (p.begin[a] > 0) parts.push_back(block(p.begin[a]));
    parts.push_back(x);
    if (p.end[a] > 0) parts.push_back(block(p.end[a]));
    x = t.concat(parts, axis);
  }
  return x == n.input(0) ? t.reshape(x, n.shape()) : x;
}

// ---- ReverseSequence ------------------------------------------------------------------------------------------------

/// The stage wants lengths of FP16, which no model has.
bool has_constant_lengths(const Node& n) {
  return constant_of(n.input(1)) && is_static(n.shape()) &&
         n.attrs.integer("batch_axis", 0) != n.attrs.integer("seq_axis", 1);
}

/// A Gather for every item.
Value reversed(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Value x = n.input(0);
  const std::vector<int64_t> lengths = n.input(1).node->constant.to_i64();
  const auto batch =
                 static_cast<int64_t>(transforms::axis_from_front(n.attrs.integer("batch_axis", 0), n.shape().size())),
             steps =
                 static_cast<int64_t>(transforms::axis_from_front(n.attrs.integer("seq_axis", 1), n.shape().size()));
  std::vector<Value> items;
  for (int64_t b = 0; b < n.shape()[static_cast<size_t>(batch)]; ++b) {
    const int64_t length = lengths.at(static_cast<size_t>(b));
    std::vector<int64_t> at;
    for (int64_t i = 0; i < n.shape()[static_cast<size_t>(steps)]; ++i) at.push_back(i < length ? length - 1 - i : i);
    items.push_back(t.gather(t.slice(x, batch, b, b + 1), at, steps));
  }
  return t.concat(items, batch);
}

bool turns_constant_axes(const Node& n) {
  return constant_of(n.input(1)) && is_static(n.shape()) && n.attrs.text("mode", "index") == "index";
}
Value turned_round(Rewriter& rw, const Node& n) {
  Terms t(rw);
  Value x = n.input(0);
  for (const int64_t a : transforms::normalized_axes(n.input(1).node->constant.to_i64(), n.shape().size())) {
    std::vector<int64_t> at;
    for (int64_t i = n.shape()[static_cast<size_t>(a)]; i-- > 0;) at.push_back(i);
    x = t.gather(x, at, a);
  }
  return x == n.input(0) ? t.reshape(x, n.shape()) : x;
}

bool has_constant_shifts(const Node& n) {
  return constant_of(n.input(1)) && constant_of(n.input(2)) && is_static(n.shape());
}
Value rolled(Rewriter& rw, const Node& n) {
  Terms t(rw);
  Value x = n.input(0);
  const std::vector<int64_t> shifts = n.input(1).node->constant.to_i64();
  const auto axes = transforms::normalized_axes(n.input(2).node->constant.to_i64(), n.shape().size());
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t size = n.shape()[static_cast<size_t>(axes[i])], by = shifts.at(shifts.size() == 1 ? 0 : i);
    const int64_t at = ((-by % size) + size) % size;
    if (at != 0) x = t.concat({t.slice(x, axes[i], at, size), t.slice(x, axes[i], 0, at)}, axes[i]);
  }
  return x == n.input(0) ? t.reshape(x, n.shape()) : x;
}

// ---- tensors without elements: the key points, masks or classes that a network has none of ----

bool is_empty(const Shape& s, size_t axis) { return s.size() > axis && s[axis] == 0; }

bool has_empty_parts(const Node& n) {
  const size_t axis = transforms::axis_from_front(n.attrs.integer("axis"), n.shape().size());
  if (is_empty(n.shape(), axis)) return false;
  return std::ranges::any_of(n.inputs(), [&](const Value& v) { return is_empty(v.shape(), axis); });
}
Value without_empty_parts(Rewriter& rw, const Node& n) {
  const size_t axis = transforms::axis_from_front(n.attrs.integer("axis"), n.shape().size());
  std::vector<Value> parts = n.inputs();
  std::erase_if(parts, [&](const Value& v) { return is_empty(v.shape(), axis); });
  return parts.size() == 1 ? parts[0] : rw.make("Concat", std::move(parts), n.attrs)->value();
}

constexpr SpelledRow kRows[] = {
    {{"Concat"}, has_empty_parts, without_empty_parts, "what is left without its empty parts"},
    {{"ReverseSequence"}, has_constant_lengths, reversed, "a Gather of every item"},
    {{"Reverse"}, turns_constant_axes, turned_round, "Gathers of turned positions"},
    {{"Roll"}, has_constant_shifts, rolled, "two parts in the other order"},
    {{"Tile"}, repeats_integers, tile, "Gathers of repeated positions"},
    {{"Tile"}, repeats_other_axes, tile_of_rank, "the same with a number for every axis"},
    {{"Broadcast"}, broadcasts_integers, broadcast, "Gathers of repeated positions"},
    {{"Pad"}, is_padded_otherwise, pad, "Concat with what is padded, or a Gather"},
};

}  // namespace

std::span<const SpelledRow> movement_rows() { return kRows; }

void drop_empty_parts(Graph& graph) {
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (n->body) transforms::in_body(graph, *n, [](Graph& body) { return drop_empty_parts(body), false; });
    if (!n->is("VariadicSplit") || !constant_of(n->input(1))) continue;
    const int64_t first = constant_of(n->input(1))->to_i64().at(0);
    const size_t axis = transforms::axis_from_front(first, n->input(0).shape().size());
    std::vector<int64_t> lengths;
    std::vector<int> kept;
    bool is_read = false;
    for (int i = 0; i < n->output_count(); ++i) {
      if (!is_empty(n->shape(i), axis)) {
        kept.push_back(i);
        lengths.push_back(n->shape(i)[axis]);
      } else {
        is_read |= !n->output(i).uses.empty();
      }
    }
    if (is_read || kept.empty() || std::ssize(kept) == n->output_count()) continue;
    rw.set_origin(n->source);
    Value whole = n->input(0);
    if (kept.size() > 1) {
      Node* split = rw.make("VariadicSplit", {n->input(0), n->input(1), rw.indices(lengths)}, n->attrs);
      split->name = n->name;
      for (size_t i = 0; i < kept.size(); ++i) graph.redirect(n->value(kept[i]), split->value(static_cast<int>(i)));
    } else {
      graph.redirect(n->value(kept[0]), whole);
    }
  }
  graph.remove_unreachable();
}

}  // namespace blobsmith::legalise_rows
