// Products of two tensors that are both computed, as queries by keys: a Transpose of the last two axes of either is a
// flag of the product, and where both have a factor, one of them has both.
//
//   MatMul(q * s, Transpose(k) * t) is MatMul(q * (s t), k, transpose_b)
//
// And products of columns by constants, of which planes can be made once they are products of rows (rows.cpp):
//
//   MatMul(W, x) is Transpose(MatMul(Transpose(x), Transpose(W)))
#include <algorithm>
#include <cmath>

#include "graph/ops/known_value.hpp"
#include "transforms/legalise/row_moves.hpp"

namespace blobsmith::legalise_rows {
namespace {

/// x * c, read by nothing else.
struct Scaled {
  Value x;
  double factor;
};

std::optional<Scaled> scaled(Value v) {
  const Node* n = v.node;
  if (!n->is("Multiply") || !transforms::has_one_user(v) || transforms::feeds_result(v)) return {};
  for (const int port : {0, 1}) {
    const auto c = transforms::single_value(n->input(port));
    const Value x = n->input(1 - port);
    if (c && x.shape() == v.shape() && !x.node->is_constant()) return Scaled{x, *c};
  }
  return {};
}

bool join_factors(Rewriter& rw, Node* product) {
  constexpr double kLeast = 0x1p-14, kLargest = 65504;
  const auto a = scaled(product->input(0)), b = scaled(product->input(1));
  if (!a || !b) return false;
  const double both = a->factor * b->factor;
  if (std::fabs(both) < kLeast || std::fabs(both) > kLargest) return false;
  Node* n = rw.make("Multiply", {a->x, rw.scalar(a->x.type(), both)});
  n->name = product->input(0).node->name;
  rw.set_input(product, 0, n->value());
  rw.set_input(product, 1, b->x);
  return true;
}

/// A Reshape that only changes the axes before the last two.
bool keeps_last_two(const Node& n) {
  if (!n.is("Reshape")) return false;
  const Shape &from = n.input(0).shape(), &to = n.shape();
  return is_static(from) && is_static(to) && from.size() > 2 && to.size() > 2 &&
         std::equal(from.end() - 2, from.end(), to.end() - 2);
}

bool turn_operand(Rewriter& rw, Node* product, int port) {
  const Value operand = product->input(port);
  const bool reshaped = keeps_last_two(*operand.node) && is_read_once(operand);
  const Value v = reshaped ? operand.node->input(0) : operand;
  if (!v.node->is("Transpose") || !transforms::swaps_last_two(*v.node) || !is_read_once(v)) return false;
  Value turned = v.node->input(0);
  if (reshaped) {
    Shape shape = operand.shape();
    std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
    turned = rw.reshape(turned, shape)->value();
  }
  const char* flag = port == 0 ? "transpose_a" : "transpose_b";
  product->attrs.set(flag, !product->attrs.flag(flag));
  rw.set_input(product, port, turned);
  return true;
}

bool is_between_tensors(const Node& n) {
  return n.is("MatMul") && is_float(n.element_type()) && !known_value(n.input(0)) && !known_value(n.input(1));
}

Value last_two_swapped(Rewriter& rw, Value v) {
  const size_t rank = v.shape().size();
  return rw.transpose(v, order_with_last(rank, static_cast<int64_t>(rank) - 2))->value();
}

bool is_matrix(Value v) {
  const Shape& s = v.shape();
  return v.node->is_constant() && s.size() >= 2 && element_count(s) == s[s.size() - 1] * s[s.size() - 2];
}

/// Rows that lie in columns: with a few of them the Transposes would take longer than they save.
bool has_many_columns(Value v, bool transposed) {
  constexpr int64_t kFew = 10;
  const Shape& s = v.shape();
  return is_static(s) && s.size() >= 2 && element_count(s) / s[s.size() - (transposed ? 1 : 2)] > kFew;
}

void put_rows_first(Rewriter& rw, Node* product) {
  const bool turned_a = product->attrs.flag("transpose_a"), turned_b = product->attrs.flag("transpose_b");
  const Value a = product->input(0), b = product->input(1);
  if (is_matrix(b) && turned_a && !a.node->is_constant() && has_many_columns(a, false)) {
    product->attrs.set("transpose_a", false);
    return rw.set_input(product, 0, last_two_swapped(rw, a));
  }
  if (!is_matrix(a) || b.node->is_constant() || !has_many_columns(b, turned_b)) return;
  if (a.shape().size() > b.shape().size() || transforms::feeds_result(product->value())) return;
  const Value rows = turned_b ? b : last_two_swapped(rw, b);
  Node* n = rw.make("MatMul", {rows, a}, transforms::attributes({{"transpose_a", false}, {"transpose_b", !turned_a}}));
  n->name = product->name + "/rows";
  const Value y = last_two_swapped(rw, n->value());
  y.node->name = product->name;
  rw.replace(product, y.node);
}

}  // namespace

void put_constants_second(Graph& graph) {
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (n->body)
      transforms::in_body(graph, *n, [](Graph& body) {
        put_constants_second(body);
        return false;
      });
    if (!n->is("MatMul") || !is_float(n->element_type()) || !is_static(n->shape())) continue;
    rw.set_origin(n->source);
    put_rows_first(rw, n);
  }
  graph.remove_unreachable();
}

void simplify_products(Graph& graph) {
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (!is_between_tensors(*n)) continue;
    rw.set_origin(n->source);
    join_factors(rw, n);
    for (const int port : {0, 1}) turn_operand(rw, n, port);
  }
  graph.remove_unreachable();
}

}  // namespace blobsmith::legalise_rows
