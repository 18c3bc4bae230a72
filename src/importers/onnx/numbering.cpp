#include "importers/onnx/numbering.hpp"

#include "graph/numbering.hpp"
#include "graph/ops/known_value.hpp"

namespace blobsmith::onnx_import::ie::quirks {
namespace {

/// Calls f(node) for the arithmetic that a value follows from. The shape of what ShapeOf reads is known without looking
/// further.
template <class F>
void walk_arithmetic(const Node* from, F f) {
  std::vector<const Node*> todo{from};
  while (!todo.empty()) {
    const Node* n = todo.back();
    todo.pop_back();
    if (!f(n) || n->is("ShapeOf")) continue;
    for (const Value& input : n->inputs())
      if (input) todo.push_back(input.node);
  }
}

// quirk: the reference knows no bounds of the parts of a Split.
bool depends_on_split(const Node* from) {
  std::set<const Node*> seen;
  bool found = false;
  walk_arithmetic(from, [&](const Node* n) {
    found |= n->is("Split");
    return seen.insert(n).second;
  });
  return found;
}

}  // namespace

int64_t Numbering::of_evaluation(Value v) {
  int64_t count = 0;
  walk_arithmetic(v.node, [&](const Node* n) {
    if (!evaluated_.insert(n).second) return false;
    count += blobsmith::numbering::of_evaluation(*n);
    return true;
  });
  return count;
}

int64_t Numbering::of_inference(const Node& n) {
  int64_t count = blobsmith::numbering::of_inference(n);
  const std::vector<int> bounded = blobsmith::numbering::bounded_inputs(n);
  for (const int i : bounded)
    if (depends_on_split(n.input(i).node)) return 0;
  for (const int i : bounded)
    if (!n.input(i).node->is_constant() && known_value(n.input(i))) count += of_evaluation(n.input(i));
  return count;
}

}  // namespace blobsmith::onnx_import::ie::quirks
