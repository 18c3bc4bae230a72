// LayerNormalization spelled out by Subtract, Power, ReduceMean, Sqrt and Divide (model-optimizer spec §6.1).
#include "importers/model_optimizer/rewrites.hpp"
#include "transforms/rewrites.hpp"

namespace blobsmith::model_optimizer {

bool fuse_layer_norm(Rewriter& rw, Node* n) { return transforms::fuse_mvn(rw, n); }

}  // namespace blobsmith::model_optimizer
