// Transposes of the back phase (model-optimizer spec §6.8).
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {

/// A matrix product with constants is written with the constants transposed.
bool transpose_matmul_constant(Rewriter& rw, Node* n) {
  const Tensor* b = transforms::constant_of(n->input(1));
  if (!b || n->attrs.flag("transpose_b") || b->shape.size() < 2) return false;
  std::vector<int64_t> order(b->shape.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  Node* transpose = rw.transpose(n->input(1), order);
  const Tensor* inputs[] = {b, &transpose->input(1).node->constant};
  std::vector<Tensor> folded = evaluate(*transpose, inputs);
  if (folded.empty()) return false;
  const Value transposed = rw.graph().constant(std::move(folded[0]), n->input(1).node->name)->value();
  rw.release(transpose);
  n->attrs.set("transpose_b", true);
  rw.set_input(n, 1, transposed);
  return true;
}

/// Transposes in sequence become one; one that changes nothing is dropped.
bool merge_transposes(Rewriter& rw, Node* n) {
  const Tensor* order = transforms::constant_of(n->input(1));
  if (!order) return false;
  std::vector<int64_t> o = order->to_i64();
  bool identity = true;
  for (size_t i = 0; i < o.size(); ++i) identity = identity && o[i] == static_cast<int64_t>(i);
  if (identity) return rw.redirect(n->value(), n->input(0));
  Node* before = transforms::producer(n->input(0), "Transpose");
  const Tensor* first =
      before && transforms::has_one_user(n->input(0)) ? transforms::constant_of(before->input(1)) : nullptr;
  if (!first) return false;
  const std::vector<int64_t> f = first->to_i64();
  for (int64_t& axis : o) axis = f.at(static_cast<size_t>(axis));
  Node* merged = rw.transpose(before->input(0), o);
  merged->source = n->source;
  return rw.replace(n, rw.visit(merged));
}

}  // namespace blobsmith::model_optimizer
