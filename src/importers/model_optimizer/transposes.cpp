// Transposes of the back phase (model-optimizer spec §6.8).
#include <numeric>

#include "graph/ops/strided.hpp"
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {

namespace {

/// The same matrices with rows as columns; of large ones when they are read.
Tensor transposed(const Tensor& t) {
  std::vector<size_t> order(t.shape.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Shape shape = t.shape;
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  std::swap(shape[shape.size() - 1], shape[shape.size() - 2]);
  const auto make = [t, order, shape] {
    Bytes r = ops::permuted(t, t.shape, order, shape).bytes;
    t.bytes.leave_memory();
    return r;
  };
  return {t.type, shape, Bytes::deferred_if_many(t.bytes.size(), make)};
}

}  // namespace

/// A matrix product with constants is written with the constants transposed.
bool transpose_matmul_constant(Rewriter& rw, Node* n) {
  const Tensor* b = transforms::constant_of(n->input(1));
  if (!b || n->attrs.flag("transpose_b") || b->shape.size() < 2 || !ops::is_byte_sized(b->type)) return false;
  const Value by_columns = rw.graph().constant(transposed(*b), n->input(1).node->name)->value();
  n->attrs.set("transpose_b", true);
  rw.set_input(n, 1, by_columns);
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
