// Scattering to positions of several axes, and indices that count from the end, which the VPU does not know.
#include <algorithm>

#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

using transforms::constant_of;

/// What computes indices that are never negative.
bool counts_from_front(Value v) {
  while (v.node->is("Convert") || v.node->is("Reshape") || v.node->is("Squeeze") || v.node->is("Unsqueeze") ||
         v.node->is("Transpose") || v.node->is("StridedSlice") || v.node->is("Gather"))
    v = v.node->input(0);
  if (const Tensor* t = constant_of(v)) return std::ranges::all_of(t->to_i64(), [](int64_t i) { return i >= 0; });
  return (v.node->is("TopK") && v.port == 1) || v.node->is("NonZero") || v.node->is("NonMaxSuppression");
}

/// Indices of an axis of `size` elements, counted from its front.
Value from_front(Terms& t, Value indices, Value sizes) {
  if (counts_from_front(indices)) return indices;
  const Value zero = t.number(indices, 0);
  return t.add(indices, t.multiply(t.as_integer(t.less(indices, zero), indices.type()), sizes));
}

/// The port of the indices, and the axis that they count along, of operations along one axis.
struct Counted {
  int port;
  int64_t axis;
};
std::optional<Counted> counted(const Node& n) {
  if (n.is("GatherElements")) return Counted{1, n.attrs.integer("axis")};
  if (n.is("Gather")) {
    if (n.input_count() < 3 || !constant_of(n.input(2))) return std::nullopt;
    return Counted{1, n.input(2).node->constant.to_i64().at(0)};
  }
  if (n.is("ScatterElementsUpdate") && constant_of(n.input(3)))
    return Counted{1, n.input(3).node->constant.to_i64().at(0)};
  return std::nullopt;
}

bool may_count_from_end(const Node& n) {
  const auto c = counted(n);
  if (!c || !is_static(n.input(0).shape()) || !is_integer(n.input(1).type())) return false;
  if (!is_static(n.input(1).shape())) return false;  // no comparisons of tensors whose size the data tell
  // The Gather of constant indices has a rewrite of its own.
  if (n.is("Gather") && constant_of(n.input(1))) return false;
  return !counts_from_front(n.input(1));
}

Value counted_from_front(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Counted c = *counted(n);
  const Shape& data = n.input(0).shape();
  const int64_t size = data[transforms::axis_from_front(c.axis, data.size())];
  std::vector<Value> inputs = n.inputs();
  if (const Tensor* k = constant_of(inputs[1])) {
    std::vector<int64_t> at = k->to_i64();
    for (int64_t& i : at) i += i < 0 ? size : 0;
    inputs[1] = t.integers(ElementType::i32, k->shape, at);
  } else {
    inputs[1] = from_front(t, inputs[1], t.number(inputs[1], static_cast<double>(size)));
  }
  return spelled_out(rw.copy(&n, inputs)->value());
}

bool may_count_from_end_of_several(const Node& n) {
  return n.is("GatherND") && is_static(n.input(0).shape()) && is_static(n.input(1).shape()) &&
         is_integer(n.input(1).type()) && !counts_from_front(n.input(1));
}

Value counted_of_several(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Shape& data = n.input(0).shape();
  const auto batch = static_cast<size_t>(n.attrs.integer("batch_dims", 0));
  const auto depth = static_cast<size_t>(n.input(1).shape().back());
  const std::vector<int64_t> sizes(data.begin() + static_cast<std::ptrdiff_t>(batch),
                                   data.begin() + static_cast<std::ptrdiff_t>(batch + depth));
  std::vector<Value> inputs = n.inputs();
  if (const Tensor* k = constant_of(inputs[1])) {
    std::vector<int64_t> at = k->to_i64();
    for (size_t i = 0; i < at.size(); ++i) at[i] += at[i] < 0 ? sizes[i % depth] : 0;
    inputs[1] = t.integers(ElementType::i32, k->shape, at);
  } else {
    inputs[1] = from_front(t, inputs[1], t.integers(inputs[1].type(), {static_cast<int64_t>(depth)}, sizes));
  }
  return spelled_out(rw.copy(&n, inputs)->value());
}

bool scatters(const Node& n) {
  return n.input_count() == 3 && is_static(n.input(0).shape()) && is_static(n.input(1).shape()) &&
         is_integer(n.input(1).type()) && element_count(n.input(1).shape()) > 0 && element_count(n.shape()) > 0;
}

/// Where the first of each slice that an index names lies in the data, as one number.
Value places(Terms& t, Value indices, const Shape& data, int64_t depth) {
  std::vector<int64_t> sizes(data.begin(), data.begin() + depth), steps(static_cast<size_t>(depth));
  int64_t step = 1;
  for (size_t a = data.size(); a-- > 0;) {
    if (a < steps.size()) steps[a] = step;
    step *= data[a];
  }
  const int64_t count = element_count(indices.shape()) / depth;
  if (const Tensor* k = constant_of(indices)) {
    const std::vector<int64_t> at = k->to_i64();
    std::vector<int64_t> r(static_cast<size_t>(count), 0);
    for (size_t i = 0; i < at.size(); ++i) {
      const size_t a = i % static_cast<size_t>(depth);
      r[i / static_cast<size_t>(depth)] += (at[i] + (at[i] < 0 ? sizes[a] : 0)) * steps[a];
    }
    return t.integers(ElementType::i32, {count, 1}, r);
  }
  const Value flat = t.convert(t.reshape(indices, {count, depth}), ElementType::i32);
  const Value front = from_front(t, flat, t.integers(ElementType::i32, {depth}, sizes));
  const Value parts = t.multiply(front, t.integers(ElementType::i32, {depth}, steps));
  return depth == 1 ? parts : t.reduce("ReduceSum", parts, {1}, true);
}

/// All elements in one row, where every index names one element.
Value scatter(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Shape data = n.input(0).shape(), at = n.input(1).shape();
  const int64_t depth = at.back(), all = element_count(data), count = element_count(at) / depth;
  const int64_t each = element_count(n.input(2).shape()) / count;
  Value positions = places(t, n.input(1), data, depth);
  if (each > 1) {
    std::vector<int64_t> within;
    for (int64_t i = 0; i < each; ++i) within.push_back(i);
    if (const Tensor* k = constant_of(positions)) {
      std::vector<int64_t> r;
      for (const int64_t first : k->to_i64())
        for (const int64_t i : within) r.push_back(first + i);
      positions = t.integers(ElementType::i32, {count * each}, r);
    } else {
      positions = t.add(positions, t.integers(ElementType::i32, {1, each}, within));
    }
  }
  const Value y = t.make("ScatterElementsUpdate", {t.reshape(n.input(0), {all}), t.reshape(positions, {count * each}),
                                                   t.reshape(n.input(2), {count * each}), rw.index(0)});
  spelled_out(y);
  return t.reshape(y, data);
}

// ---- ScatterUpdate ----

/// The stage knows indices of the first axis.
bool updates_within(const Node& n) {
  const Tensor* at = constant_of(n.input(1));
  const Tensor* axis = constant_of(n.input(3));
  if (!at || !axis || !is_static(n.shape()) || !is_static(n.input(2).shape())) return false;
  return transforms::axis_from_front(axis->to_i64().at(0), n.shape().size()) != 0;
}

/// Data and updates side by side, and of each position what it holds in the end.
Value updated(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Shape& data = n.shape();
  const size_t axis = transforms::axis_from_front(n.input(3).node->constant.to_i64().at(0), data.size());
  const std::vector<int64_t> at = n.input(1).node->constant.to_i64();
  const int64_t size = data[axis];
  std::vector<int64_t> from;
  for (int64_t i = 0; i < size; ++i) from.push_back(i);
  for (size_t i = 0; i < at.size(); ++i)
    from.at(static_cast<size_t>(at[i] < 0 ? at[i] + size : at[i])) = size + static_cast<int64_t>(i);
  Shape updates = data;
  updates[axis] = static_cast<int64_t>(at.size());
  const auto a = static_cast<int64_t>(axis);
  return t.gather(t.concat({n.input(0), t.reshape(n.input(2), updates)}, a), from, a);
}

bool counts_axis_from_end(const Node& n) { return n.attrs.integer("axis") < 0 && !n.shape().empty(); }
Value with_axis_from_front(Rewriter& rw, const Node& n) {
  Attributes attrs = n.attrs;
  attrs.set("axis",
            static_cast<int64_t>(transforms::axis_from_front(attrs.integer("axis"), n.input(0).shape().size())));
  return rw.make("GatherElements", n.inputs(), attrs, n.version)->value();
}

// ---- OneHot of a single index ----

/// Its stage counts axes from the last one, and knows no tensor without axes.
bool is_of_one_index(const Node& n) {
  return n.input(0).shape().empty() && n.attrs.integer("axis") != -1 && is_static(n.shape());
}
Value along_last_axis(Rewriter& rw, const Node& n) {
  Attributes attrs = n.attrs;
  attrs.set("axis", int64_t{-1});
  return rw.make("OneHot", n.inputs(), attrs, n.version)->value();
}

constexpr SpelledRow kRows[] = {
    {{"OneHot"}, is_of_one_index, along_last_axis, "the same along its last axis"},
    {{"ScatterUpdate"}, updates_within, updated, "a Gather of data and updates side by side"},
    {{"GatherElements"}, counts_axis_from_end, with_axis_from_front, "the same with its axis counted from the front"},
    {{"Gather", "GatherElements", "ScatterElementsUpdate"},
     may_count_from_end,
     counted_from_front,
     "indices below 0 are counted from the front"},
    {{"GatherND"}, may_count_from_end_of_several, counted_of_several, "indices below 0 are counted from the front"},
    {{"ScatterNDUpdate"}, scatters, scatter, "ScatterElementsUpdate of one row"},
};

}  // namespace

std::span<const SpelledRow> index_rows() { return kRows; }

}  // namespace blobsmith::legalise_rows
