// The order that layers, inputs and outputs have once the network was written as IR and read back
// (model-optimizer spec §8.4).
#include <algorithm>
#include <map>

#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

class Copy {
 public:
  void from(Node* result) {
    std::vector<std::pair<Node*, int>> stack{{result, 0}};
    while (!stack.empty()) {
      auto& [n, next] = stack.back();
      if (next < n->input_count()) {
        Node* input = n->input(next++).node;
        if (!made_.contains(input)) stack.emplace_back(input, 0);
      } else {
        if (!made_.contains(n)) made_[n] = add(n);
        stack.pop_back();
      }
    }
  }
  Graph take() { return std::move(graph_); }

 private:
  Node* add(Node* n) {
    if (n->is("Parameter")) return finish(graph_.parameter(n->element_type(), n->shape(), n->name), n);
    if (n->is_constant()) return finish(graph_.constant(n->constant, n->name), n);
    std::vector<Value> inputs;
    for (const Value& v : n->inputs()) inputs.push_back({made_.at(v.node), v.port});
    if (n->is("Result")) return finish(graph_.result(inputs[0], n->name), n);
    Node* copy = graph_.add(n->type, std::move(inputs), n->version, n->name);
    copy->body = std::move(n->body);
    copy->port_map = n->port_map;
    std::vector<std::pair<ElementType, Shape>> outputs;
    for (int i = 0; i < n->output_count(); ++i) outputs.emplace_back(n->element_type(i), n->shape(i));
    graph_.set_outputs(copy, std::move(outputs));
    return finish(copy, n);
  }

  static Node* finish(Node* copy, const Node* n) {
    copy->attrs = n->attrs;
    copy->source = n->source;
    if (n->is("Parameter")) copy->constant = n->constant;  // a mean image
    for (int i = 0; i < n->output_count() && i < copy->output_count(); ++i)
      copy->output(i).tensor_names = n->output(i).tensor_names;
    return copy;
  }

  Graph graph_;
  std::map<const Node*, Node*> made_;
};

}  // namespace

Graph in_reading_order(Graph graph, const std::set<const Node*>& kept) {
  Copy copy;
  for (Node* r : graph.results()) copy.from(r);
  for (Node* p : graph.parameters())
    if (kept.contains(p)) copy.from(p);
  for (Node* n : graph.all())
    if (n->is("Assign")) copy.from(n);
  Graph read = copy.take();
  read.name = graph.name;
  return read;
}

}  // namespace blobsmith::model_optimizer
