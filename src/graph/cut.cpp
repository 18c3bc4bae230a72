#include "graph/cut.hpp"

namespace blobsmith {

void cut(Graph& graph, Node* n) {
  for (int i = 0; i < n->output_count(); ++i) {
    if (n->output(i).uses.empty()) continue;
    const std::string name = n->output_count() > 1 ? n->name + "." + std::to_string(i) : n->name;
    graph.redirect(n->value(i), graph.parameter(n->element_type(i), n->shape(i), name)->value());
  }
  const std::vector<Value> inputs = n->inputs();
  graph.set_inputs(n, {});
  graph.remove(n);
  for (const Value& v : inputs)
    if (v && !v.node->is_constant() && !v.node->is("Parameter") && v.node->output(v.port).uses.empty()) graph.result(v);
}

}  // namespace blobsmith
