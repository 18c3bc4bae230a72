// Reshapes in sequence become one; one that changes nothing is dropped (model-optimizer spec Appendix C,
// FuseReshapesSequence, RemoveRedundantReshapes).
#include <algorithm>

#include "importers/model_optimizer/layout.hpp"
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {

bool merge_reshapes(Rewriter& rw, Node* n) {
  if (!is_static(n->shape()) || !is_static(n->input(0).shape())) return false;
  if (n->shape() == n->input(0).shape()) return rw.redirect(n->value(), n->input(0));
  Node* before = transforms::producer(n->input(0), "Reshape");
  if (!before || !transforms::has_one_user(n->input(0))) return false;
  // Those of detectors state no whole shapes, so that Model Optimizer leaves them.
  if (n->attrs.has(kKeepsOrder) && before->attrs.has(kKeepsOrder)) return false;
  Node* one = rw.reshape(before->input(0), n->shape());
  one->source = n->source;
  one->output().tensor_names = n->output().tensor_names;
  return rw.replace(n, rw.visit(one));
}

namespace {

/// The shape that a Reshape states, where it is a constant without 0 and -1.
std::optional<Shape> stated_shape(const Node* n) {
  const Tensor* t = transforms::constant_of(n->input(1));
  if (!t) return std::nullopt;
  Shape shape = t->to_i64();
  if (std::ranges::any_of(shape, [](int64_t d) { return d <= 0; })) return std::nullopt;
  return shape;
}

}  // namespace

bool merge_stated_reshapes(Rewriter& rw, Node* n) {
  Node* before = transforms::producer(n->input(0), "Reshape");
  if (!before || !transforms::has_one_user(n->input(0)) || !stated_shape(n)) return false;
  rw.set_input(n, 0, before->input(0));
  return true;
}

bool drop_stated_reshape(Rewriter& rw, Node* n) {
  return stated_shape(n) == n->input(0).shape() && rw.redirect(n->value(), n->input(0));
}

}  // namespace blobsmith::model_optimizer
