// --enable_concat_optimization and --static_shape (model-optimizer spec §2.2).
#include "graph/ops/known_value.hpp"
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {

bool merge_concats(Rewriter& rw, Node* n) {
  std::vector<Value> inputs;
  bool merged = false;
  for (const Value& v : n->inputs()) {
    const Node* inner = transforms::producer(v, "Concat");
    if (inner && transforms::has_one_user(v) && inner->attrs.integer("axis") == n->attrs.integer("axis")) {
      inputs.insert(inputs.end(), inner->inputs().begin(), inner->inputs().end());
      merged = true;
    } else {
      inputs.push_back(v);
    }
  }
  if (!merged) return false;
  Node* concat = rw.make("Concat", std::move(inputs), n->attrs);
  concat->source = n->source;
  return rw.replace(n, concat);
}

void fold_shapes(Graph& graph) {
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (n->is_constant() || n->is("Parameter") || n->is("Result") || n->output_count() != 1) continue;
    if (is_float(n->element_type())) continue;
    const auto known = known_value(n->value());
    if (!known) continue;
    rw.redirect(n->value(), graph.constant(*known, n->name)->value());
  }
}

}  // namespace blobsmith::model_optimizer
