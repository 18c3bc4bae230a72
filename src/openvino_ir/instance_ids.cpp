#include "openvino_ir/instance_ids.hpp"

#include <array>

namespace blobsmith::ir {
namespace {

constexpr int64_t kFirst = 709;    // nodes that exist before a network is read
constexpr int64_t kPerLayer = 3;   // made, made again with checked inputs, cloned

// Further nodes that the reference makes and drops while it makes an operation (each of three times).
struct Extra {
  std::string_view type;
  int version;
  int64_t count;
};
constexpr std::array kExtras{Extra{"Reshape", 0, 6},   Extra{"Broadcast", 1, 6}, Extra{"Broadcast", 3, 6},  Extra{"Tile", 0, 6},         Extra{"TopK", 3, 10},
                             Extra{"Gather", 7, 1},    Extra{"Selu", 0, 24},     Extra{"HardSigmoid", 0, 18}, Extra{"NormalizeL2", 0, 18}, Extra{"GRN", 0, 36},
                             Extra{"Gelu", 0, 69}};

int64_t extra_nodes(const Node& n) {
  if (n.is("Pad")) return n.input_count() == 3 ? 2 : 0;
  for (const Extra& e : kExtras)
    if (n.is(e.type) && n.version == e.version) return e.count;
  return 0;
}

int64_t nodes_made(const Graph& graph) {
  int64_t count = 0;
  for (const Node* n : graph.all()) {
    count += kPerLayer + extra_nodes(*n);
    if (n->body) count += nodes_made(*n->body);
  }
  return count;
}

}  // namespace

int64_t next_instance_id(const Graph& graph) { return kFirst + nodes_made(graph); }

}  // namespace blobsmith::ir
