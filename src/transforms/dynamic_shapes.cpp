// What is left dynamic when all shapes that can be known are known (front-end spec §5.7).
#include "transforms/rewrites.hpp"

namespace blobsmith::transforms {

bool resolve_dynamic_shapes(Graph& graph) {
  for (const Node* n : graph.ordered())
    for (int i = 0; i < n->output_count(); ++i)
      if (!is_static(n->shape(i)) && !n->is("Result")) throw not_yet_supported(n->name, n->type, "outputs whose shape depends on the data");
  return false;
}

}  // namespace blobsmith::transforms
