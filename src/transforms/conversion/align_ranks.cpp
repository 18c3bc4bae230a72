// Constants of elementwise operations get as many dimensions as the result has: a bias of [64] beside [1, 32, 64]
// becomes [1, 1, 64], so that what comes later finds the channel at the same place (releases spec §2).
#include <algorithm>
#include <array>

#include "transforms/conversion/passes.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {
namespace {

constexpr std::array<std::string_view, 18> kAlignedTypes{
    "Add",   "Subtract", "Multiply", "Divide",       "Maximum", "Minimum",   "Power",      "Mod",       "FloorMod",
    "Equal", "NotEqual", "Greater",  "GreaterEqual", "Less",    "LessEqual", "LogicalAnd", "LogicalOr", "LogicalXor"};

bool is_elementwise(const Node& n) {
  return n.is("SquaredDifference") || std::ranges::find(kAlignedTypes, n.type) != kAlignedTypes.end();
}

// The factor of an L2 norm keeps its shape: whether it has one dimension decides how the layer reads it.
bool scales_norm(const Node& n) {
  return n.is("Multiply") && std::ranges::any_of(n.inputs(), [](const Value& v) { return v.node->is("NormalizeL2"); });
}

}  // namespace

bool align_constant_ranks(Graph& graph) {
  for (Node* n : graph.ordered()) {
    if (n->body) in_body(graph, *n, align_constant_ranks);
    if (!is_elementwise(*n) || scales_norm(*n)) continue;
    const size_t rank = n->shape().size();
    for (int i = 0; i < n->input_count(); ++i) {
      const Tensor* t = constant_of(n->input(i));
      if (!t || t->shape.size() >= rank) continue;
      Tensor aligned = *t;
      aligned.shape.insert(aligned.shape.begin(), rank - t->shape.size(), 1);
      Rewriter(graph).set_input(n, i, graph.constant(std::move(aligned))->value());
    }
  }
  graph.remove_unreachable();
  return false;  // shapes stay what they are
}

}  // namespace blobsmith::transforms
