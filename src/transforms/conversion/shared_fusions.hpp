// Fusions that Model Optimizer does in the same way, on its own.
#pragma once
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::transforms {

// activation_fusions.cpp
bool fuse_softplus(Rewriter& rw, Node* n);
bool fuse_mish(Rewriter& rw, Node* n);
bool fuse_swish_sigmoid(Rewriter& rw, Node* n);
bool fuse_gelu(Rewriter& rw, Node* n);
// normalization_fusions.cpp
bool fuse_mvn(Rewriter& rw, Node* n);
bool fuse_softmax(Rewriter& rw, Node* n);
// layout_fusions.cpp
bool fuse_depth_to_space(Rewriter& rw, Node* n);
bool fuse_shuffle_channels(Rewriter& rw, Node* n);

}  // namespace blobsmith::transforms
