// Keras spells out its softmax over more than two dimensions (model-optimizer spec §6.1).
#include "importers/model_optimizer/rewrites.hpp"
#include "transforms/conversion/shared_fusions.hpp"

namespace blobsmith::model_optimizer {

bool fuse_spelled_softmax(Rewriter& rw, Node* n) {
  if (n->output().uses.empty()) return false;
  const NodeUse use = n->output().uses[0];
  if (!transforms::fuse_softmax(rw, n)) return false;
  Node* softmax = use.node->input(use.port).node;
  // Called after the operator in front of it; a BiasAdd is an Add within.
  std::string name = softmax->input(0).node->name;
  if (name.ends_with("/BiasAdd/Add")) name.resize(name.size() - 4);
  softmax->name = name + "/Softmax";
  return true;
}

}  // namespace blobsmith::model_optimizer
