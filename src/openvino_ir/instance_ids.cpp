#include "openvino_ir/instance_ids.hpp"

#include "graph/ops/inference_ids.hpp"

namespace blobsmith::ir {
namespace {

constexpr int64_t kFirst = 709;    // nodes that exist before a network is read
constexpr int64_t kPerLayer = 3;   // made, made again with checked inputs, cloned

// Further nodes that the reference makes and drops while it makes an operation, besides those of shape inference.
int64_t extra_nodes(const Node& n) {
  if (n.is("Pad")) return n.input_count() == 3 ? 2 : 0;
  if (n.is("TopK")) return n.version == 3 ? 4 : 0;
  return 0;
}

int64_t nodes_made(const Graph& graph) {
  int64_t count = 0;
  for (const Node* n : graph.all()) {
    count += kPerLayer * (1 + quirks::ids_of_inference(*n)) + extra_nodes(*n);
    if (n->body) count += nodes_made(*n->body);
  }
  return count;
}

bool is_dynamic(const Graph& graph) {
  for (const Node* n : graph.all())
    for (int i = 0; i < n->output_count(); ++i)
      if (!is_static(n->shape(i))) return true;
  return false;
}

// quirk: a network with an unknown shape is cloned once more, folded and validated, to learn what its outputs could be.
int64_t nodes_of_dynamic_clone(const Graph& graph) {
  constexpr int64_t kPatterns = 13, kLegacyNonMaxSuppression = 27;
  int64_t count = kPatterns;
  for (const Node* n : graph.all()) {
    const auto bounded = static_cast<int64_t>(quirks::bounded_inputs(*n).size());
    count += 1 + 2 * quirks::ids_of_inference(*n) + bounded;
    if (n->is("NonMaxSuppression")) count += kLegacyNonMaxSuppression;
    if (n->is("TopK") && n->version == 3) count += 2;
  }
  return count;
}

}  // namespace

int64_t next_instance_id(const Graph& graph) { return kFirst + nodes_made(graph) + (is_dynamic(graph) ? nodes_of_dynamic_clone(graph) : 0); }

}  // namespace blobsmith::ir
