// Reshapes in sequence become one; one that changes nothing is dropped (model-optimizer spec Appendix C,
// FuseReshapesSequence, RemoveRedundantReshapes).
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {

bool merge_reshapes(Rewriter& rw, Node* n) {
  if (!is_static(n->shape()) || !is_static(n->input(0).shape())) return false;
  if (n->shape() == n->input(0).shape()) return rw.redirect(n->value(), n->input(0));
  Node* before = transforms::producer(n->input(0), "Reshape");
  if (!before || !transforms::has_one_user(n->input(0))) return false;
  Node* one = rw.reshape(before->input(0), n->shape());
  one->source = n->source;
  one->output().tensor_names = n->output().tensor_names;
  return rw.replace(n, rw.visit(one));
}

}  // namespace blobsmith::model_optimizer
