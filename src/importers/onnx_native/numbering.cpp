#include "importers/onnx_native/numbering.hpp"

#include "graph/ops/inference_ids.hpp"
#include "graph/ops/known_value.hpp"

namespace blobsmith::onnx_native::quirks {
namespace {

constexpr int64_t kIdsOfProduct = 14;  // a product over a shape, for its lower and its upper bound

}  // namespace

int64_t Numbering::of_evaluation(Value v) {
  int64_t count = 0;
  std::vector<const Node*> todo{v.node};
  while (!todo.empty()) {
    const Node* n = todo.back();
    todo.pop_back();
    // The shape of what ShapeOf reads is known without looking further.
    if (!evaluated_.insert(n).second || n->is("ShapeOf")) continue;
    if (n->is("ReduceProd")) count += kIdsOfProduct;
    for (const Value& input : n->inputs())
      if (input) todo.push_back(input.node);
  }
  return count;
}

int64_t Numbering::of_inference(const Node& n) {
  int64_t count = blobsmith::quirks::ids_of_inference(n);
  for (const int i : blobsmith::quirks::bounded_inputs(n))
    if (!n.input(i).node->is_constant() && known_value(n.input(i))) count += of_evaluation(n.input(i));
  return count;
}

}  // namespace blobsmith::onnx_native::quirks
