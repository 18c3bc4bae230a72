// Inputs that a network turns into floating numbers at once have these themselves (model-optimizer spec, Appendix C:
// ChangePlaceholderTypes).
#include <algorithm>

#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

bool makes_floats(const Node* n) {
  return n->is("Convert") && n->output_count() == 1 && n->output().type == ElementType::f32;
}

}  // namespace

void change_input_types(Graph& graph) {
  Rewriter rw(graph);
  bool changed = false;
  for (Node* p : std::vector<Node*>(graph.parameters())) {
    const std::vector<NodeUse> uses = p->output().uses;
    const bool only_floats = !uses.empty() && std::ranges::all_of(uses, [](const NodeUse& u) {
      return makes_floats(u.node) || u.node->is("ShapeOf");
    });
    if (p->element_type() == ElementType::f32 || (!only_floats && p->element_type() != ElementType::u8)) continue;
    graph.set_outputs(p, {{ElementType::f32, p->shape()}});
    if (only_floats)
      for (const NodeUse& u : uses)
        if (u.node->is("Convert")) rw.redirect(u.node->value(), p->value());
    changed = true;
  }
  if (!changed) return;
  for (Node* n : graph.ordered())
    if (n->input_count() > 0 && !n->is("Result")) infer(graph, n);
}

}  // namespace blobsmith::model_optimizer
