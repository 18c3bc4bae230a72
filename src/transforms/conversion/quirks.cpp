#include "transforms/conversion/quirks.hpp"

#include "graph/ops/inference_ids.hpp"

namespace blobsmith::transforms::quirks {

int64_t ids_of_validation(const Graph& graph) {
  int64_t count = 0;
  for (const Node* n : graph.all()) {
    count += blobsmith::quirks::ids_of_inference(*n);
    if (n->body) count += ids_of_validation(*n->body);
  }
  return count;
}

// quirk: a constant that only changes its shape takes no new number.
int64_t ids_of_folding(const Node& n) {
  if (n.is("Reshape") || n.is("Squeeze") || n.is("Unsqueeze")) return 0;
  return n.output_count();
}

}  // namespace blobsmith::transforms::quirks
