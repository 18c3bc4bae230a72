// Two Transposes with nothing but a Reshape between them are one Transpose of more axes. Windows of a picture, heads of
// an attention and rows that become planes move the same elements twice otherwise.
//
//   [1152, 196] ─ Transpose ─ [196, 1152] ─ Reshape ─ [4, 49, 3, 12, 32] ─ Transpose ─ [3, 4, 12, 49, 32]
//   is [3, 12, 32, 4, 49] ─ Transpose (0, 3, 1, 4, 2) ─ [3, 4, 12, 49, 32]
#include <algorithm>
#include <numeric>
#include <optional>

#include "transforms/legalise/row_moves.hpp"

namespace blobsmith::legalise_rows {
namespace {

constexpr size_t kMostAxesMoved = 6;  ///< of a Transpose that takes the place of two

/// A part of an axis that both Transposes move as a whole.
struct Piece {
  int64_t size;
  size_t first, second;  ///< axes of the tensor before and behind the Reshape that it is part of
};

/// The pieces of both shapes of a Reshape, in order; none where an axis of one cuts through an axis of the other.
std::optional<std::vector<Piece>> common_pieces(const Shape& before, const Shape& behind) {
  std::vector<Piece> pieces;
  size_t i = 0, j = 0;
  int64_t left = 1, right = 1;
  for (;;) {
    while (left == 1 && i < before.size()) left = before[i++];
    while (right == 1 && j < behind.size()) right = behind[j++];
    if (left == 1 && right == 1) return pieces;
    const int64_t size = std::min(left, right);
    if (size < 2 || left % size != 0 || right % size != 0) return std::nullopt;
    pieces.push_back({size, i - 1, j - 1});
    left /= size;
    right /= size;
  }
}

const Tensor* order_of(const Node* n) { return n->is("Transpose") ? transforms::constant_of(n->input(1)) : nullptr; }

/// Its pieces in the order of the input, and where the result takes them from.
struct Move {
  Shape shape;
  std::vector<int64_t> order;
};

/// Pieces that stay side by side are one.
Move simplified(const Move& m) {
  std::vector<size_t> starts;  // pieces that do not follow the one before them in the result, by their place there
  for (size_t k = 0; k < m.order.size(); ++k)
    if (k == 0 || m.order[k] != m.order[k - 1] + 1) starts.push_back(k);
  std::vector<std::pair<int64_t, size_t>> groups;  // first piece, place in the result
  for (size_t g = 0; g < starts.size(); ++g) groups.emplace_back(m.order[starts[g]], g);
  std::ranges::sort(groups);
  Move r{Shape(groups.size(), 1), std::vector<int64_t>(groups.size())};
  for (size_t at = 0; at < groups.size(); ++at) {
    const size_t g = groups[at].second, end = g + 1 < starts.size() ? starts[g + 1] : m.order.size();
    for (size_t k = starts[g]; k < end; ++k) r.shape[at] *= m.shape[static_cast<size_t>(m.order[k])];
    r.order[g] = static_cast<int64_t>(at);
  }
  return r;
}

Move move_of(const std::vector<Piece>& pieces, const std::vector<int64_t>& first, const std::vector<int64_t>& second) {
  std::vector<size_t> input, output;  // numbers of pieces
  for (size_t axis = 0; axis < first.size(); ++axis) {
    const auto moved = static_cast<size_t>(std::ranges::find(first, static_cast<int64_t>(axis)) - first.begin());
    for (size_t p = 0; p < pieces.size(); ++p)
      if (pieces[p].first == moved) input.push_back(p);
  }
  for (const int64_t axis : second)
    for (size_t p = 0; p < pieces.size(); ++p)
      if (pieces[p].second == static_cast<size_t>(axis)) output.push_back(p);
  Move m;
  for (const size_t p : input) m.shape.push_back(pieces[p].size);
  for (const size_t p : output) m.order.push_back(std::ranges::find(input, p) - input.begin());
  return simplified(m);
}

bool join(Rewriter& rw, Node* last) {
  const Tensor* second = order_of(last);
  if (!second || !is_static(last->shape())) return false;
  Node* n = last->input(0).node;
  while (n->is("Reshape") && transforms::has_one_user(n->value()) && !transforms::feeds_result(n->value()))
    n = n->input(0).node;
  const Tensor* first = order_of(n);
  if (!first || n == last->input(0).node || !transforms::has_one_user(n->value()) ||
      transforms::feeds_result(n->value()) || !is_static(n->shape()))
    return false;
  const auto pieces = common_pieces(n->shape(), last->input(0).shape());
  if (!pieces || pieces->empty()) return false;
  const Move m = move_of(*pieces, first->to_i64(), second->to_i64());
  if (m.order.size() > kMostAxesMoved) return false;
  Value v = rw.reshape(n->input(0), m.shape)->value();
  if (m.order.size() > 1) v = rw.transpose(v, m.order)->value();
  return rw.replace(last, rw.reshape(v, last->shape()));
}

bool is_masked(const Node& n, std::string_view mask, size_t axis) {
  const std::vector<int64_t>& list = n.attrs.integers(mask);
  return axis < list.size() && list[axis] != 0;
}

/// What a StridedSlice takes of the outermost axis alone; -1: it is none.
int64_t sliced_by(const Node& n, Value whole) {
  const Shape &from = whole.shape(), &to = n.shape();
  const Tensor* begin = transforms::constant_of(n.input(1));
  if (n.input(0) != whole || !begin || begin->shape.empty()) return -1;
  if (is_masked(n, "begin_mask", 0)) return -1;  // from the start, whatever begin says
  const bool drops = is_masked(n, "shrink_axis_mask", 0);
  if (to.size() + (drops ? 1 : 0) != from.size() || (!drops && to[0] != 1)) return -1;
  if (!std::equal(from.begin() + 1, from.end(), to.begin() + (drops ? 0 : 1))) return -1;
  if (n.input_count() > 3) {
    const Tensor* steps = transforms::constant_of(n.input(3));
    if (!steps || !std::ranges::all_of(steps->to_i64(), [](int64_t s) { return s == 1; })) return -1;
  }
  const int64_t index = begin->to_i64()[0];
  return index < -from[0] || index >= from[0] ? -1 : (index + from[0]) % from[0];
}

/// A Gather or StridedSlice that takes one element of the outermost axis; -1: it is none.
int64_t taken_by(const Node& n, Value whole) {
  if (n.is("StridedSlice")) return sliced_by(n, whole);
  if (!n.is("Gather") || n.input(0) != whole || !n.input(1).shape().empty()) return -1;
  const Tensor *at = transforms::constant_of(n.input(1)), *axis = transforms::constant_of(n.input(2));
  if (!at || !axis || axis->to_i64() != std::vector<int64_t>{0}) return -1;
  const int64_t index = at->to_i64()[0], size = whole.shape()[0];
  return index < -size || index >= size ? -1 : (index + size) % size;
}

}  // namespace

void split_instead_of_gathers(Graph& graph) {
  constexpr int64_t kMostParts = 8;
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (n->output_count() != 1 || n->is_constant() || !is_static(n->shape()) || n->shape().size() < 3) continue;
    const Value whole = n->value();
    const int64_t size = n->shape()[0];
    const std::vector<NodeUse> uses(n->output().uses.begin(), n->output().uses.end());
    if (size < 2 || size > kMostParts || std::ssize(uses) != size) continue;
    std::vector<Node*> readers(static_cast<size_t>(size), nullptr);
    for (const NodeUse& use : uses)
      if (const int64_t at = taken_by(*use.node, whole); at >= 0) readers[static_cast<size_t>(at)] = use.node;
    if (std::ranges::find(readers, nullptr) != readers.end()) continue;
    rw.set_origin(readers[0]->source);
    Node* parts = rw.make("Split", {whole, rw.index(0)}, transforms::attributes({{"num_splits", size}}));
    for (size_t i = 0; i < readers.size(); ++i)
      rw.replace(readers[i], rw.reshape(parts->value(static_cast<int>(i)), readers[i]->shape()));
  }
  graph.remove_unreachable();
}

namespace {

/// Transposes that move the elements of one tensor alike, whatever shapes they see it in, are one.
void share_equal_moves(Graph& graph, Rewriter& rw) {
  struct Known {
    Value from;
    Move move;
    Node* node;
  };
  std::vector<Known> all;
  for (Node* n : graph.ordered()) {
    const Tensor* order = order_of(n);
    if (!order || n->use_count() == 0 || !is_static(n->shape())) continue;
    Value from = n->input(0);
    while (from.node->is("Reshape")) from = from.node->input(0);
    const auto pieces = common_pieces(n->input(0).shape(), n->input(0).shape());
    if (!pieces || pieces->empty()) continue;
    std::vector<int64_t> unmoved(n->shape().size());
    std::iota(unmoved.begin(), unmoved.end(), 0);
    const Move move = move_of(*pieces, unmoved, order->to_i64());
    const auto it = std::ranges::find_if(all, [&](const Known& k) {
      return k.from == from && k.move.shape == move.shape && k.move.order == move.order;
    });
    if (it == all.end())
      all.push_back({from, move, n});
    else if (!transforms::feeds_result(n->value()))
      rw.redirect(n->value(), rw.reshape(it->node->value(), n->shape())->value());
  }
}

}  // namespace

void join_transposes(Graph& graph) {
  Rewriter rw(graph);
  share_equal_moves(graph, rw);
  for (Node* n : graph.ordered()) {
    rw.set_origin(n->source);
    if (n->use_count() > 0) join(rw, n);
  }
  graph.remove_unreachable();
}

}  // namespace blobsmith::legalise_rows
