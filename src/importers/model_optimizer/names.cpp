// Names of layers: of those that compute network outputs, and without two of one name.
#include <algorithm>
#include <set>

#include "importers/model_optimizer/outputs.hpp"

namespace blobsmith::model_optimizer {

namespace {

/// The tensor's, where the framework's tensors are "node:port", unless a layer has it (model-optimizer spec §8.4).
std::string result_name(const Session& s, const Node& n, int port) {
  using importers::Framework;
  const std::vector<std::string>& tensors = n.output(port).tensor_names;
  const bool by_tensor = s.framework != Framework::Onnx && s.framework != Framework::Caffe;
  if (by_tensor && !tensors.empty() && !tensors[0].empty() &&
      std::ranges::none_of(s.graph.all(), [&](const Node* other) { return other->name == tensors[0]; }))
    return tensors[0];
  return n.name + "/sink_port_" + std::to_string(port);
}

}  // namespace

void name_outputs(Session& s) {
  std::set<const Node*> named;
  for (Node* r : s.graph.results()) {
    Node* n = r->input(0).node;
    if (r->attrs.flag("named") && !n->is("Parameter") && named.insert(n).second) n->name = r->name;
    std::vector<std::string>& tensor_names = n->output(r->input(0).port).tensor_names;
    if (r->attrs.flag("named") && std::ranges::find(tensor_names, r->name) == tensor_names.end())
      tensor_names.push_back(r->name);
    r->name = result_name(s, *n, r->input(0).port);
    r->attrs.erase("named");
  }
}

void make_names_unique(Session& s) {
  std::set<std::string> names;
  for (const Node* r : s.graph.results()) names.insert(r->input(0).node->name);
  for (const Node* p : s.graph.parameters()) names.insert(p->name);
  std::set<const Node*> kept;
  for (const Node* r : s.graph.results()) kept.insert(r->input(0).node);
  std::vector<Node*> nodes = s.graph.all();
  // Half precision makes floating constants anew, behind all others; in full precision a layer has the same name.
  std::stable_partition(nodes.begin(), nodes.end(),
                        [](const Node* n) { return !n->is_constant() || !is_float(n->element_type()); });
  for (Node* n : nodes) {
    if (n->is("Result") || n->is("Parameter") || kept.contains(n)) continue;
    const std::string base = n->name;
    for (int64_t i = 1; !names.insert(n->name).second; ++i) n->name = base + "_" + std::to_string(i);
  }
}

}  // namespace blobsmith::model_optimizer
