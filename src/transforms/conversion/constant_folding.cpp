// Computes every node whose inputs are constants, and shapes of static tensors (front-end spec §2.4).
#include <set>

#include "graph/numbering.hpp"
#include "graph/ops/known_value.hpp"
#include "transforms/compressed_models.hpp"
#include "transforms/conversion/passes.hpp"
#include "transforms/pipeline.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {
namespace {

// From the results backwards, a value that shape inference knows becomes a constant and is not looked behind.
bool fold_bounded_values(Graph& graph, Rewriter& rewriter, const std::vector<Node*>& order) {
  const std::set<numbering::Port> bounded = numbering::bounded_values(graph, order);
  if (bounded.empty()) return false;
  std::set<const Node*> visited;
  std::vector<Node*> todo(graph.results().rbegin(), graph.results().rend());
  bool changed = false;
  while (!todo.empty()) {
    Node* n = todo.back();
    todo.pop_back();
    if (n->is_constant() || !visited.insert(n).second) continue;
    for (int i = 0; i < n->input_count(); ++i) {
      const Value v = n->input(i);
      if (!bounded.contains({v.node, v.port})) {
        todo.push_back(v.node);
        continue;
      }
      if (v.node->is_constant()) {
        numbering::skip(graph, 1);  // quirk: made even for what is a constant already
        continue;
      }
      Node* c = numbering::constant_of_bounds(graph, *known_value(v), output_name(v));
      changed = rewriter.redirect(v, c->value());
    }
  }
  return changed;
}

bool is_foldable(const Node& n) {
  if (n.input_count() == 0 || n.is("Result") || n.is("Assign") || n.body) return false;
  if (n.is("ShapeOf")) return is_static(n.input(0).shape());
  if (is_decompression(n)) return false;
  if (n.is("ConvertLike")) return n.input(0).node->is_constant();
  for (const Value& v : n.inputs())
    if (!v || !v.node->is_constant()) return false;
  return true;
}

bool fold(Graph& graph, Rewriter& rewriter, Node* n) {
  std::vector<const Tensor*> inputs;
  for (const Value& v : n->inputs()) inputs.push_back(v.node->is_constant() ? &v.node->constant : nullptr);
  std::vector<Tensor> values = evaluate(*n, inputs);
  if (values.size() != static_cast<size_t>(n->output_count())) return false;
  numbering::folded(graph, *n, [&] {
    for (int i = 0; i < n->output_count(); ++i)
      if (!n->output(i).uses.empty())
        graph.redirect({n, i}, graph.constant(std::move(values[static_cast<size_t>(i)]), output_name({n, i}))->value());
  });
  rewriter.release(n);
  return true;
}

// One element gathered out of joined single elements is that element, which takes the name of the Gather.
bool bypass_joined_elements(Rewriter& rewriter, Node* n) {
  if (!n->is("Gather") || n->input_count() != 3) return false;
  Node* concat = producer(n->input(0), "Concat");
  const Tensor *indices = constant_of(n->input(1)), *axis = constant_of(n->input(2));
  if (!concat || !indices || !axis || !is_static(concat->shape()) || concat->attrs.integer("axis") != 0 ||
      axis->to_i64().at(0) != 0)
    return false;
  if (indices->shape.size() > 1 || element_count(indices->shape) != 1 ||
      concat->input_count() != element_count(concat->shape()))
    return false;
  const size_t at = axis_from_front(indices->to_i64()[0], static_cast<size_t>(concat->input_count()));
  Value element = concat->input(static_cast<int>(at));
  if (indices->shape.empty()) {
    const Value front = rewriter.indices({0});
    element = rewriter.make("Squeeze", {element, front})->value();
  }
  element.node->name = n->name;
  return rewriter.redirect(n->value(), element);
}

}  // namespace

bool fold_constants(Graph& graph) {
  Rewriter rewriter(graph);
  std::vector<Node*> order = graph.ordered();
  bool changed = fold_bounded_values(graph, rewriter, order);
  if (changed) order = graph.ordered();
  for (Node* n : order) {
    if (changed) numbering::made(graph, *n);
    if (n->body) changed |= in_body(graph, *n, fold_constants);
    if (is_foldable(*n))
      changed |= fold(graph, rewriter, n);
    else
      changed |= bypass_joined_elements(rewriter, n);
  }
  if (changed) graph.remove_unreachable();
  return changed;
}

}  // namespace blobsmith::transforms
