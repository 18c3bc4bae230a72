#include "importers/openvino_ir/instance_ids.hpp"

#include <set>

#include "graph/numbering.hpp"

namespace blobsmith::ir {
namespace {

constexpr int64_t kFirst = 709;       // nodes that exist before a network is transformed, besides its own
constexpr int64_t kWhileReading = 2;  // every node is made, then made again with checked inputs
constexpr int64_t kCloned = 1;

bool lacks_strides(const Node& n) {
  return n.is("StridedSlice") && n.input_count() == 3 && n.input(1).node->is_constant() &&
         n.input(1).shape().size() == 1;
}

// Further nodes that the reference makes while it makes an operation, besides those of shape inference.
struct Extra {
  int64_t reading = 0, cloning = 0;
};

Extra extra_nodes(const Node& n) {
  if ((n.is("Pad") && n.input_count() == 3) || lacks_strides(n)) return {1, 1};
  if (n.is("TopK") && n.version == 3) return {2, 2};
  return {};
}

struct Unstated {
  Graph* graph;
  Node* slice;
  int64_t id;
};

struct Count {
  int64_t read = 0, cloned = 0;
  std::vector<Unstated> slices;
  std::set<numbering::Port> bounded;  // values that are evaluated once, while reading and again while cloning
};

void count_nodes(Graph& graph, Count& c) {
  for (Node* n : graph.all()) {
    const int64_t nodes = 1 + numbering::of_inference(*n);
    const Extra extra = extra_nodes(*n);
    if (lacks_strides(*n)) c.slices.push_back({&graph, n, c.read + 1});
    const int64_t evaluations = numbering::of_new_evaluations(*n, c.bounded);
    c.read += kWhileReading * nodes + extra.reading + evaluations;
    c.cloned += kCloned * nodes + extra.cloning + evaluations;
    if (n->body) count_nodes(*n->body, c);
  }
}

void add_strides(const Unstated& u) {
  const auto length = static_cast<size_t>(u.slice->input(1).shape()[0]);
  u.graph->add_input(
      u.slice,
      u.graph->constant(Tensor::i64(std::vector<int64_t>(length, 1)), "Constant_" + std::to_string(u.id))->value());
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
    const auto bounded = static_cast<int64_t>(numbering::bounded_inputs(*n).size());
    count += 1 + 2 * numbering::of_inference(*n) + bounded;
    if (n->is("NonMaxSuppression")) count += kLegacyNonMaxSuppression;
    if (n->is("TopK") && n->version == 3) count += 2;
  }
  return count;
}

}  // namespace

void number_instances(Graph& graph) {
  Count count;
  count_nodes(graph, count);
  const int64_t cloned_again = is_dynamic(graph) ? nodes_of_dynamic_clone(graph) : 0;
  for (const Unstated& u : count.slices) add_strides(u);
  graph.next_id = kFirst + count.read + count.cloned + cloned_again;
}

}  // namespace blobsmith::ir
