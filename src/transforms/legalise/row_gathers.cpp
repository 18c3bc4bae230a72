// Rolls, windows and other moves of rows that would be several copies are one Gather of rows: what moves do to the rows
// is what they do to the numbers of the rows.
//
//   x [56, 56, 96] ─ Concat(x[3:], x[:3]) ─ Concat(x[:, 3:], x[:, :3]) ─ Reshape, Transpose ─ [64, 49, 96]
//   is x ─ Reshape [3136, 96] ─ Gather (3·56 + 3, 3·56 + 4, ...) ─ Reshape [64, 49, 96]
#include <algorithm>
#include <numeric>

#include "graph/ops/known_value.hpp"
#include "transforms/legalise/row_moves.hpp"

namespace blobsmith::legalise_rows {
namespace {

constexpr int64_t kMostRows = int64_t{1} << 20;

struct Chain {
  Value base;                 ///< whose rows are moved
  std::vector<Node*> inside;  ///< the moves, from the last on
  int64_t copies = 0;         ///< stages that they would be
};

bool has_steps(const Node& slice) {
  const Tensor* by = slice.input_count() > 3 ? transforms::constant_of(slice.input(3)) : nullptr;
  return by && !std::ranges::all_of(by->to_i64(), [](int64_t s) { return s == 1; });
}

/// All moves that only `last`, a Concat, is reached from.
Chain chain_before(Node* last) {
  Chain c;
  const bool joins_rows = last->attrs.integer("axis") + 1 == std::ssize(last->shape());
  const int64_t columns = joins_rows ? last->input(0).shape().back() : last->shape().back();
  c.inside.push_back(last);
  const auto is_inside = [&](const Node* n) { return std::ranges::find(c.inside, n) != c.inside.end(); };
  const auto data = [](const Node* n) { return n->is("Concat") ? n->input_count() : 1; };
  const auto may_join = [&](Value v) {
    return !is_inside(v.node) && moves_rows(*v.node, columns, false) && !transforms::feeds_result(v) &&
           std::ranges::all_of(v.node->output(v.port).uses, [&](const NodeUse& u) { return is_inside(u.node); });
  };
  for (bool grew = true; grew;) {
    grew = false;
    for (size_t i = 0; i < c.inside.size(); ++i)
      for (int port = 0; port < data(c.inside[i]); ++port)
        if (const Value v = c.inside[i]->input(port); may_join(v)) {
          c.inside.push_back(v.node);
          grew = true;
        }
  }
  bool one_base = true;
  for (Node* n : c.inside) {
    c.copies += n->is("Concat") ? n->input_count() : n->is("StridedSlice") && has_steps(*n) ? 1 : 0;
    for (int port = 0; port < data(n); ++port) {
      const Value v = n->input(port);
      if (is_inside(v.node)) continue;
      one_base = one_base && (!c.base || c.base == v) && v.shape().back() == columns;
      c.base = v;
    }
  }
  if (!one_base) c.base = {};
  return c;
}

/// The last of what moves rows of `v` on, each read by nothing else.
Value behind(Value v) {
  while (is_static(v.shape()) && transforms::has_one_user(v) && !transforms::feeds_result(v)) {
    Node* reader = v.node->output(v.port).uses[0].node;
    if (!(reader->is("Reshape") || reader->is("Transpose")) || !moves_rows(*reader, v.shape().back(), false)) break;
    v = reader->value();
  }
  return v;
}

bool gather(Rewriter& rw, Node* last) {
  constexpr int64_t kLeastCopies = 4;
  if (!is_float(last->element_type()) || !is_static(last->shape()) || last->shape().size() < 2) return false;
  const Chain c = chain_before(last);
  if (!c.base || c.copies < kLeastCopies || c.base.node->is("Parameter") || !is_static(c.base.shape())) return false;
  const int64_t columns = c.base.shape().back(), rows = element_count(c.base.shape()) / columns;
  const Value end = behind(last->value());
  if (columns < 2 || rows < 2 || rows > kMostRows || element_count(end.shape()) / columns > kMostRows) return false;
  Shape numbered = c.base.shape();
  numbered.back() = 1;
  std::vector<int64_t> numbers(static_cast<size_t>(rows));
  std::iota(numbers.begin(), numbers.end(), 0);
  const Value counted = rw.constant(Tensor::of(ElementType::i64, std::move(numbered), std::move(numbers)));
  const auto moved = MovedRows(rw, c.base, counted).of(end);
  const auto known = moved ? known_value(*moved, kMostRows) : std::nullopt;
  if (!known) return false;
  const Value from = rw.reshape(c.base, {rows, columns})->value(), at = rw.indices(known->to_i64());
  Node* taken = rw.make("Gather", {from, at, rw.index(0)}, {}, 1);
  taken->name = end.node->name + "/rows";
  return rw.replace(end.node, rw.reshape(taken->value(), end.shape()));
}

}  // namespace

void gather_moved_rows(Graph& graph) {
  Rewriter rw(graph);
  const std::vector<Node*> order = graph.ordered();
  for (auto it = order.rbegin(); it != order.rend(); ++it) {
    if (!(*it)->is("Concat") || (*it)->use_count() == 0) continue;
    rw.set_origin((*it)->source);
    gather(rw, *it);
  }
  graph.remove_unreachable();
}

}  // namespace blobsmith::legalise_rows
