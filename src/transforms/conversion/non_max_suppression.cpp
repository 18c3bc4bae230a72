// NonMaxSuppression: older versions become version 5 (front-end spec §5.2).
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool upgrade_non_max_suppression(Rewriter& rw, Node* n) {
  if (n->version >= 5) return false;
  std::vector<Value> inputs = n->inputs();
  if (inputs.size() < 3) inputs.push_back(rw.index(0));
  while (inputs.size() < 5) inputs.push_back(rw.scalar(ElementType::f32, 0));
  Node* nms = rw.make("NonMaxSuppression", inputs, n->attrs, 5);
  return rw.replace(n, nms);
}

constexpr RewriteRow kNonMaxSuppressionVersions[] = {
    {{"NonMaxSuppression"}, upgrade_non_max_suppression},
};

}  // namespace

std::span<const RewriteRow> non_max_suppression_versions() { return kNonMaxSuppressionVersions; }

}  // namespace blobsmith::transforms
