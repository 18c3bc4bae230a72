#include "importers/onnx/node_view.hpp"

#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::onnx_import {

Value NodeView::input(size_t i) const {
  if (!has_input(i)) refuse("input " + std::to_string(i) + " is missing");
  const auto it = values_.find(node_.inputs[i]);
  if (it == values_.end() || !it->second)
    refuse(node_.inputs[i] + " node not found in graph cache: no earlier node computes it", ErrorCode::BadOnnx);
  return it->second;
}

std::vector<Value> NodeView::inputs() const {
  std::vector<Value> all;
  for (size_t i = 0; i < input_count(); ++i) all.push_back(input(i));
  return all;
}

const Tensor* NodeView::constant(size_t i) const { return has_input(i) ? transforms::constant_of(input(i)) : nullptr; }

int64_t NodeView::axis(int64_t a, int64_t rank) const {
  if (a < -rank || a >= rank)
    refuse("Parameter axis " + std::to_string(a) + " out of the tensor rank range [-" + std::to_string(rank) + ", " +
           std::to_string(rank - 1) + "].");
  return a < 0 ? a + rank : a;
}

int64_t NodeView::mandatory_integer(const char* a) const {
  if (!has(a)) refuse("unknown attribute '" + std::string(a) + "'");
  return integer(a, 0);
}

std::vector<float> NodeView::reals(const char* a, std::vector<float> fallback) const {
  const onnx_file::Attribute* found = node_.find(a);
  return found && found->kind == onnx_file::Attribute::Kind::Reals ? found->reals : fallback;
}

std::vector<Value> outputs_of(Value v) {
  std::vector<Value> values;
  for (int i = 0; i < v.node->output_count(); ++i) values.push_back(v.node->value(i));
  return values;
}

}  // namespace blobsmith::onnx_import
