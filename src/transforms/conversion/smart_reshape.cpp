// Makes shapes that a model states as numbers follow the batch, before the batch changes (front-end spec §5.1).
#include "transforms/conversion/passes.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {
namespace {

// A Reshape to one dimension takes whatever comes.
bool relax_reshape_to_1d(Rewriter& rw, Node* n) {
  if (n->shape().size() != 1 || !constant_of(n->input(1))) return false;
  const auto pattern = single_value(n->input(1));
  if (!pattern || *pattern == -1) return false;
  rw.set_input(n, 1, rw.indices({-1}));
  return true;
}

// A Transpose of the last two dimensions of an operand becomes a flag.
bool fold_transpose_into_matmul(Rewriter& rw, Node* n) {
  std::vector<Value> inputs = n->inputs();
  Attributes attrs = n->attrs;
  bool changed = false;
  for (int i = 0; i < 2; ++i) {
    Node* transpose = producer(inputs[static_cast<size_t>(i)], "Transpose");
    if (!transpose || !swaps_last_two(*transpose)) continue;
    const char* flag = i == 0 ? "transpose_a" : "transpose_b";
    attrs.set(flag, !attrs.flag(flag));
    inputs[static_cast<size_t>(i)] = transpose->input(0);
    changed = true;
  }
  return changed && rw.replace(n, rw.make("MatMul", inputs, attrs));
}

// Reshape to a matrix in front of a MatMul: its rows follow the batch, its columns the other operand.
bool relax_reshape_before_matmul(Rewriter& rw, Node* n) {
  bool changed = false;
  for (int i = 0; i < 2; ++i) {
    Node* reshape = producer(n->input(i), "Reshape");
    const Value other = n->input(1 - i);
    if (!reshape || reshape->shape().size() != 2 || other.shape().size() != 2 || other.node->is("Transpose") ||
        other.node->is("Reshape"))
      continue;
    const bool transposed = n->attrs.flag(i == 0 ? "transpose_a" : "transpose_b");
    const size_t k_axis = (i == 0) != transposed ? 1 : 0;
    std::vector<int64_t> pattern(2, -1);
    pattern[k_axis] = reshape->shape()[k_axis];
    rw.set_input(reshape, 1, rw.indices(pattern));
    changed = true;
  }
  return changed;
}

}  // namespace

void smart_reshape(Graph& graph) {
  apply_rewrites(graph, {{{"Reshape"}, relax_reshape_to_1d}});
  apply_rewrites(graph, {{{"MatMul"}, fold_transpose_into_matmul}});
  apply_rewrites(graph, {{{"MatMul"}, relax_reshape_before_matmul}});
}

}  // namespace blobsmith::transforms
