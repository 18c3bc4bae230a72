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
  if (n.is("Gather")) return n.version == 7 ? 1 : 0;
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

}  // namespace

int64_t next_instance_id(const Graph& graph) { return kFirst + nodes_made(graph); }

}  // namespace blobsmith::ir
