// Two constants that are added to the scores of an attention, such as the bias of relative positions and a mask of
// windows, are one.
#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/ops/known_value.hpp"
#include "transforms/legalise/row_moves.hpp"

namespace blobsmith::legalise_rows {
namespace {

constexpr int64_t kMostValues = int64_t{1} << 20;  ///< of the sum, which is as large as the scores
constexpr float kLargestHalf = 65504;

/// The port of a constant summand of several values; -1 where there is none.
int summand_port(const Node& add) {
  if (!add.is("Add") || !is_float(add.element_type()) || !is_static(add.shape())) return -1;
  for (const int port : {0, 1}) {
    const Value c = add.input(port);
    if (c.node->is_constant() && element_count(c.shape()) > 1 && add.input(1 - port).shape() == add.shape() &&
        !add.input(1 - port).node->is_constant())
      return port;
  }
  return -1;
}

/// Scores: a product of two tensors that are both computed, perhaps scaled.
bool is_score(const Node* n) {
  if (n->is("Multiply") || n->is("Divide")) n = n->input(n->input(0).node->is_constant() ? 1 : 0).node;
  return n->is("MatMul") && !n->input(1).node->is_constant();
}

bool join_constants(Rewriter& rw, Node* last) {
  const int port = summand_port(*last);
  if (port < 0 || element_count(last->shape()) > kMostValues) return false;
  Node* n = last->input(1 - port).node;
  while (n->is("Reshape") && is_read_once(n->value())) n = n->input(0).node;
  const int first = n == last ? -1 : summand_port(*n);
  if (first < 0 || !is_read_once(n->value()) || !is_score(n->input(1 - first).node)) return false;
  const ElementType type = last->element_type();
  const Value zeros = rw.filled(type, n->shape(), 0);
  const Value all = rw.reshape(rw.make("Add", {zeros, n->input(first)})->value(), last->shape())->value();
  const auto sum = known_value(rw.make("Add", {all, last->input(port)})->value(), kMostValues);
  if (!sum) return false;
  std::vector<float> values = sum->to_f32();
  for (float& v : values) v = std::clamp(v, -kLargestHalf, kLargestHalf);  // each was a number of FP16
  const Value scores = rw.reshape(n->input(1 - first), last->shape())->value();
  return rw.replace(last, rw.make("Add", {scores, rw.constant(floats_as(*sum, last->shape(), std::move(values)))}));
}

}  // namespace

void join_summands(Graph& graph) {
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    rw.set_origin(n->source);
    if (n->output_count() == 1 && n->use_count() > 0) join_constants(rw, n);
  }
  graph.remove_unreachable();
}

}  // namespace blobsmith::legalise_rows
