// The largest or smallest of integers. The VPU's TopK is one of FP16. The largest one is found by its value; of
// several, each element's rank is the number of those before it:
//
//   rank(i) = sum over j of (x(j) > x(i)) + sum over j < i of (x(j) = x(i))
#include <algorithm>
#include <numeric>

#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

constexpr int64_t kMostComparisons = int64_t{1} << 22;

struct Sorting {
  int64_t axis, size, k, rows;
  bool largest, by_index;
};

std::optional<Sorting> sorting(const Node& n) {
  if (!n.is("TopK") || !is_integer(n.input(0).type()) || !is_static(n.shape()) || !is_static(n.input(0).shape()))
    return std::nullopt;
  const Shape& x = n.input(0).shape();
  Sorting s;
  s.axis = static_cast<int64_t>(transforms::axis_from_front(n.attrs.integer("axis"), x.size()));
  s.size = x[static_cast<size_t>(s.axis)];
  s.k = n.shape()[static_cast<size_t>(s.axis)];
  s.rows = element_count(x) / std::max<int64_t>(s.size, 1);
  s.largest = n.attrs.text("mode", "max") == "max";
  s.by_index = n.attrs.text("sort", "value") == "index";
  if (s.size < 1 || (s.k > 1 && (s.by_index || s.rows * s.size * s.size > kMostComparisons))) return std::nullopt;
  return s;
}

std::vector<int64_t> counting(int64_t n) {
  std::vector<int64_t> v(static_cast<size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

struct Top {
  Value values, indices;
};

/// The first of the extreme values. [rows, size] -> [rows, 1] each
Top first(Terms& t, Value x, const Sorting& s) {
  const Value best = t.reduce(s.largest ? "ReduceMax" : "ReduceMin", x, {1}, true);
  const Value places = t.integers(x.type(), {1, s.size}, counting(s.size));
  const Value found = t.choose(t.equal(x, best), places, t.filled(x.type(), {1, 1}, static_cast<double>(s.size)));
  return {best, t.reduce("ReduceMin", found, {1}, true)};
}

/// [rows, size] -> [rows, k] each
Top several(Terms& t, Value x, const Sorting& s) {
  const Value other = t.reshape(x, {s.rows, 1, s.size}), own = t.reshape(x, {s.rows, s.size, 1});
  const Value before = t.as_integer(s.largest ? t.less(own, other) : t.less(other, own), x.type());
  std::vector<int64_t> earlier;
  for (int64_t i = 0; i < s.size; ++i)
    for (int64_t j = 0; j < s.size; ++j) earlier.push_back(j < i);
  const Value counts = t.integers(x.type(), {1, s.size, s.size}, earlier);
  const Value ties = t.multiply(t.as_integer(t.equal(own, other), x.type()), counts);
  const Value rank = t.reduce("ReduceSum", t.add(before, ties), {2}, false);
  const Value wanted = t.integers(x.type(), {1, s.k, 1}, counting(s.k));
  const Value chosen = t.as_integer(t.equal(t.reshape(rank, {s.rows, 1, s.size}), wanted), x.type());
  const Value places = t.integers(x.type(), {1, 1, s.size}, counting(s.size));
  return {t.reduce("ReduceSum", t.multiply(chosen, other), {2}, false),
          t.reduce("ReduceSum", t.multiply(chosen, places), {2}, false)};
}

void sort(Graph& graph, Rewriter& rw, Node* n, const Sorting& s) {
  Terms t(rw);
  const auto order = order_with_last(n->input(0).shape().size(), s.axis);
  const Value rows = t.reshape(t.transpose(n->input(0), order), {s.rows, s.size});
  const Top top = s.k == 1 ? first(t, rows, s) : several(t, rows, s);
  Shape turned;
  for (const int64_t a : order) turned.push_back(n->shape()[static_cast<size_t>(a)]);
  const auto restored = [&](Value v) { return t.transpose(t.reshape(v, turned), inverse_order(order)); };
  const Value values = restored(top.values), indices = t.convert(restored(top.indices), n->element_type(1));
  // The name goes with the outputs, by number.
  for (const auto& [port, v] : {std::pair(0, values), std::pair(1, indices)}) {
    v.node->name = n->name + "." + std::to_string(port);
    v.node->source = n->source;
    graph.redirect(n->value(port), v);
  }
  rw.release(n);
}

}  // namespace

std::vector<Remark> sort_integers(Graph& graph) {
  std::vector<Remark> said;
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    const auto s = sorting(*n);
    if (!s) continue;
    rw.set_origin(n->source);
    said.push_back(remark(Remark::Kind::Rewritten, *n, "comparisons and reductions of integers"));
    sort(graph, rw, n, *s);
  }
  if (!said.empty()) graph.remove_unreachable();
  return said;
}

}  // namespace blobsmith::legalise_rows
