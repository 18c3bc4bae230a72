// LayerNormalization spelled out by Subtract, Power, ReduceMean, Sqrt and Divide (model-optimizer spec §6.1).
#include "importers/model_optimizer/rewrites.hpp"
#include "transforms/conversion/shared_fusions.hpp"

namespace blobsmith::model_optimizer {

bool fuse_layer_norm(Rewriter& rw, Node* n) {
  if (n->output().uses.empty()) return false;
  const NodeUse use = n->output().uses[0];
  if (!transforms::fuse_mvn(rw, n)) return false;
  // quirk: the axes are a new constant that has a number for a name; names decide the order of constants in a blob.
  Node* mvn = use.node->input(use.port).node;
  const Value axes = rw.constant(mvn->input(1).node->constant);
  axes.node->name = std::to_string(axes.node->id()) + "_input_port_1/value";
  rw.set_input(mvn, 1, axes);
  return true;
}

}  // namespace blobsmith::model_optimizer
