#include "graph/ops/known_value.hpp"

#include <map>

#include "graph/ops/op.hpp"

namespace blobsmith {
namespace {

constexpr size_t kLargestSubgraph = 4096;

using Known = std::map<const Node*, std::vector<Tensor>>;

bool needs_no_inputs(const Node& n) { return n.is("ShapeOf"); }

bool worth_computing(const Node& n, int64_t most_elements) {
  if (n.is("Parameter") || n.body) return false;
  const ops::OpRow* op = ops::find_op(n.type, n.version);
  if (!op || !op->evaluate) return false;
  for (int i = 0; i < n.output_count(); ++i)
    if (!is_static(n.shape(i)) || element_count(n.shape(i)) > most_elements) return false;
  if (needs_no_inputs(n)) return is_static(n.input(0).shape());
  for (const Value& v : n.inputs())
    if (!v || !is_static(v.shape()) || element_count(v.shape()) > most_elements) return false;
  return true;
}

std::vector<Tensor> compute(const Node& n, const Known& known) {
  std::vector<const Tensor*> inputs;
  for (const Value& v : n.inputs()) {
    if (needs_no_inputs(n))
      inputs.push_back(nullptr);
    else if (v.node->is_constant())
      inputs.push_back(&v.node->constant);
    else
      inputs.push_back(&known.at(v.node)[static_cast<size_t>(v.port)]);
  }
  return evaluate(n, inputs);
}

}  // namespace

std::optional<Tensor> known_value(Value v, int64_t most_elements) {
  if (v.node->is_constant()) return v.node->constant;
  Known known;
  std::vector<const Node*> stack{v.node};
  while (!stack.empty()) {
    const Node* n = stack.back();
    if (known.contains(n)) {
      stack.pop_back();
      continue;
    }
    if (!worth_computing(*n, most_elements) || known.size() + stack.size() > kLargestSubgraph) return std::nullopt;
    const size_t depth = stack.size();
    if (!needs_no_inputs(*n))
      for (const Value& input : n->inputs())
        if (!input.node->is_constant() && !known.contains(input.node)) stack.push_back(input.node);
    if (stack.size() != depth) continue;
    std::vector<Tensor> outputs = compute(*n, known);
    if (outputs.size() != static_cast<size_t>(n->output_count())) return std::nullopt;
    known.emplace(n, std::move(outputs));
    stack.pop_back();
  }
  return known.at(v.node)[static_cast<size_t>(v.port)];
}

}  // namespace blobsmith
