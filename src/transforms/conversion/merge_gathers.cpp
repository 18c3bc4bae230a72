// Gather, Squeeze, Transpose and a GatherElements become one gathering by two tensors of indices (front-end spec
// §5.2).
#include <algorithm>

#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

struct Match {
  Node *gather, *squeeze;
};

std::optional<Match> match(const Node& transpose) {
  Node* squeeze = producer(transpose.input(0), "Squeeze");
  if (!squeeze || !constant_of(transpose.input(1)) || !has_one_user(transpose.input(0)) || squeeze->input_count() < 2 ||
      !constant_of(squeeze->input(1)))
    return std::nullopt;
  Node* gather = producer(squeeze->input(0), "Gather");
  if (!gather || (gather->version != 1 && (gather->version != 7 || gather->attrs.integer("batch_dims", 0) != 0)) ||
      !has_one_user(squeeze->input(0)) || !constant_of(gather->input(2)))
    return std::nullopt;
  return Match{gather, squeeze};
}

bool gathers_elements(const NodeUse& u) { return u.node->is("GatherElements") && u.port == 0; }

bool is_merged(const Node& transpose) {
  const std::vector<NodeUse>& uses = transpose.output().uses;
  const auto fits = [](const NodeUse& u) { return gathers_elements(u) || u.node->is("ShapeOf"); };
  return std::ranges::any_of(uses, gathers_elements) && std::ranges::all_of(uses, fits) && match(transpose);
}

constexpr const char* kTransposeApart = "apart";  ///< of a Transpose that is not to be merged

}  // namespace

bool is_changed_by_gather_merge(const Node& transpose) {
  return transpose.is("Transpose") && is_merged(transpose) &&
         !is_own_inverse(constant_of(transpose.input(1))->to_i64());
}

Rewritten keep_gathers_apart(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (!is_changed_by_gather_merge(*n)) continue;
    n->attrs.set(kTransposeApart, true);
    list.push_back(rewritten(*n));
  }
  return list;
}

namespace {

// quirk: the indices are turned by the order of the Transpose, not by its inverse: right only where both are one.
bool merge_gather_and_gather_elements(Rewriter& rw, Node* n) {
  if (n->attrs.flag(kTransposeApart) || !is_merged(*n)) return false;
  const std::vector<NodeUse> uses = n->output().uses;
  const auto [gather, squeeze] = *match(*n);
  for (const NodeUse& use : uses) {
    Node* elements = use.node;
    if (!gathers_elements(use)) continue;
    Node* indices = rw.make("Transpose", {elements->input(1), n->input(1)});
    indices = rw.make("Unsqueeze", {indices->value(), squeeze->input(1)});
    const Attributes axis = attributes({{"axis", elements->attrs.integer("axis")}});
    Node* both = rw.make("ExpGatherElements", {gather->input(0), indices->value(), gather->input(1)}, axis);
    Node* flat = rw.make("Squeeze", {both->value(), squeeze->input(1)});
    rw.replace(elements, rw.make("Transpose", {flat->value(), n->input(1)}));
  }
  return true;
}

constexpr RewriteRow kGatherMerges[] = {
    {{"Transpose"}, merge_gather_and_gather_elements},
};

}  // namespace

std::span<const RewriteRow> gather_merges() { return kGatherMerges; }

}  // namespace blobsmith::transforms
