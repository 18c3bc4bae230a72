#include "importers/openvino_ir/instance_ids.hpp"

#include <map>
#include <set>
#include <vector>

#include "core/release.hpp"
#include "graph/evaluations.hpp"
#include "graph/numbering.hpp"
#include "transforms/pre_post_process.hpp"

namespace blobsmith::ir {
namespace {

struct Unstated {
  Graph* graph;
  Node* slice;
  int64_t id;
};

struct Count {
  int64_t read = 0;
  std::vector<Unstated> slices;
  std::set<numbering::Port> bounded;         // values that are evaluated once
  std::map<const Node*, int64_t> number;     // of the second time that a node is made
  numbering::Evaluations evaluations{true};  // of a release that compares bounds
};

/// All nodes of a body, and of the bodies in it.
int64_t of_bodies(const Graph& body) {
  int64_t count = 0;
  for (const Node* n : body.all()) count += 1 + (n->body ? of_bodies(*n->body) : 0);
  return count;
}

// Every node is made, gets its attributes, and is made again with checked inputs.
void count_nodes(Graph& graph, Count& c) {
  for (Node* n : graph.all()) {
    if (numbering::lacks_strides(*n)) c.slices.push_back({&graph, n, c.read + 1});
    const bool compares = graph.release->compares_bounds;
    const int64_t first = 1 + (compares ? c.evaluations.of_inference(*n) : numbering::of_inference(*n));
    c.read += first;
    if (n->body) count_nodes(*n->body, c);  // an attribute of the first one
    c.number[n] = c.read + (n->is("Pad") ? numbering::of_copy(*n) : 0);
    c.read += (compares ? 1 + c.evaluations.of_inference(*n) : first) + numbering::of_copy(*n);
    if (n->body) c.read += of_bodies(*n->body);  // copied for the second
    if (!compares) c.read += numbering::of_new_evaluations(*n, c.bounded);
  }
}

/// What the producers of the outputs are called once they have lost the names that the file gives them.
void name_producers(Graph& graph, const Count& count) {
  for (Node* r : graph.results()) {
    const Node* producer = r->input(0).node;
    r->attrs.set(kAutomaticName, producer->type + "_" + std::to_string(count.number.at(producer)));
  }
}

void add_strides(const Unstated& u) {
  const auto length = static_cast<size_t>(u.slice->input(1).shape()[0]);
  u.graph->add_input(
      u.slice,
      u.graph->constant(Tensor::i64(std::vector<int64_t>(length, 1)), "Constant_" + std::to_string(u.id))->value());
}

}  // namespace

void number_instances(Graph& graph, bool compiled) {
  Count count;
  count_nodes(graph, count);
  numbering::start(graph, count.read);
  if (compiled)
    numbering::copied(graph);
  else
    name_producers(graph, count);
  const int64_t next = numbering::next(graph);
  for (const Unstated& u : count.slices) add_strides(u);
  numbering::start(graph, next);
}

}  // namespace blobsmith::ir
