// Broadcast: dropped where an elementwise operation broadcasts anyway, brought down to version 1, and made of Tiles
// (front-end spec §5.4, §5.5).
#include <algorithm>

#include "core/release.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

constexpr Roots kDropsBroadcasts{"Add", "Subtract", "Multiply", "Divide", "SquaredDifference"};
constexpr const char* kBroadcastApart = "apart";  ///< of a Broadcast that is not to vanish

// The Broadcast that an elementwise operation can do without.
Node* needless_broadcast(const Node& n) {
  for (const auto& [x, b] : either_order(&n)) {
    if (n.is("SquaredDifference") && b == n.input(0)) continue;  // quirk: its operands can't change places
    Node* broadcast = producer(b, "Broadcast");
    if (!broadcast || broadcast->version != 3 || broadcast->input_count() != 2 || !is_static(x.shape()) ||
        !is_static(b.shape()))
      continue;
    if (b.shape().size() <= x.shape().size() && broadcasts_into(b.shape(), x.shape())) return broadcast;
  }
  return nullptr;
}

// quirk: what else reads the Broadcast loses it, too, in releases that don't look.
bool drop_broadcast_before_eltwise(Rewriter& rw, Node* n) {
  Node* broadcast = needless_broadcast(*n);
  if (!broadcast || broadcast->attrs.flag(kBroadcastApart)) return false;
  const Value b = broadcast->value(), narrow = broadcast->input(0);
  const bool is_shared = !has_one_user(b);
  if (is_shared && !rw.graph().release->drops_shared_broadcasts) return false;
  const bool changes_others = is_shared && b.shape() != narrow.shape();
  rw.redirect(b, narrow);
  if (changes_others) infer_all(rw.graph());
  return true;
}

}  // namespace

bool is_changed_by_shared_broadcast(const Node& n) {
  const Node* broadcast = needless_broadcast(n);
  return broadcast && !has_one_user(n.input(0).node == broadcast ? n.input(0) : n.input(1)) &&
         broadcast->shape() != broadcast->input(0).shape();
}

Rewritten keep_shared_broadcasts(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (!kDropsBroadcasts.contains(n->type) || !is_changed_by_shared_broadcast(*n)) continue;
    needless_broadcast(*n)->attrs.set(kBroadcastApart, true);
    list.push_back(rewritten(*n));
  }
  return list;
}

namespace {

// Both shapes broadcast against each other.
Shape joint_shape(Shape a, Shape b) {
  if (a.size() < b.size()) a.insert(a.begin(), b.size() - a.size(), 1);
  if (b.size() < a.size()) b.insert(b.begin(), a.size() - b.size(), 1);
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i] == 1) a[i] = b[i];
  return a;
}

bool convert_bidirectional(Rewriter& rw, Node* n) {
  const Value x = n->input(0);
  if (const Tensor* target = constant_of(n->input(1)); target && is_static(x.shape())) {
    const Value joint = rw.indices(joint_shape(x.shape(), target->to_i64()));
    return rw.replace(n, rw.make("Broadcast", {x, joint}, attributes({{"mode", "numpy"}}), 1));
  }
  if (x.type() == ElementType::boolean) {
    const Value truth = rw.constant(Tensor::of(ElementType::boolean, {}, std::vector<uint8_t>{1}));
    Node* ones = rw.make("Broadcast", {truth, n->input(1)}, attributes({{"mode", "numpy"}}), 1);
    return rw.replace(n, rw.make("LogicalAnd", {x, ones->value()}));
  }
  const Value one = rw.scalar(x.type(), 1);
  Node* ones = rw.make("Broadcast", {one, n->input(1)}, attributes({{"mode", "numpy"}}), 1);
  return rw.replace(n, rw.make("Multiply", {x, ones->value()}));
}

bool broadcast_3_to_1(Rewriter& rw, Node* n) {
  if (n->version != 3) return false;
  const std::string mode = n->attrs.text("mode", "numpy");
  if (mode == "bidirectional") return convert_bidirectional(rw, n);
  return rw.replace(n, rw.make("Broadcast", n->inputs(), attributes({{"mode", mode}}), 1));
}

// The input with as many dimensions as the output has: 1s in front (numpy), or at the axes that are not mapped
// (explicit).
std::optional<Shape> aligned_input_shape(const Node& n, const Shape& target) {
  Shape aligned = n.input(0).shape();
  const std::string mode = n.attrs.text("mode", "numpy");
  if (mode == "numpy") {
    if (aligned.size() > target.size()) return std::nullopt;
    aligned.insert(aligned.begin(), target.size() - aligned.size(), 1);
    return aligned;
  }
  const Tensor* axes = n.input_count() > 2 ? constant_of(n.input(2)) : nullptr;
  if ((mode != "explicit" && mode != "none") || !axes) return std::nullopt;
  Shape spread(target.size(), 1);
  const Shape mapped = normalized_axes(axes->to_i64(), target.size());
  if (mapped.size() != aligned.size()) return std::nullopt;
  for (size_t i = 0; i < mapped.size(); ++i) spread[static_cast<size_t>(mapped[i])] = aligned[i];
  return spread;
}

bool broadcast_to_tile(Rewriter& rw, Node* n) {
  if (n->version != 1 || !constant_of(n->input(1)) || !is_static(n->input(0).shape())) return false;
  const Shape target = constant_of(n->input(1))->to_i64();
  const auto aligned = aligned_input_shape(*n, target);
  if (!aligned) return false;
  std::vector<int64_t> repeats;
  for (size_t i = 0; i < target.size(); ++i) {
    if ((*aligned)[i] != 1 && (*aligned)[i] != target[i]) return false;
    repeats.push_back((*aligned)[i] == target[i] ? 1 : target[i]);
  }
  Value x = n->input(0);
  if (*aligned != x.shape()) x = rw.reshape(x, *aligned, true)->value();
  const Value repeat_values = rw.indices(repeats);
  return rw.replace(n, rw.visit(rw.make("Tile", {x, repeat_values})));
}

constexpr RewriteRow kBroadcastsBeforeElementwise[] = {
    {kDropsBroadcasts, drop_broadcast_before_eltwise},
};
constexpr RewriteRow kBroadcastVersions[] = {
    {{"Broadcast"}, broadcast_3_to_1},
};
constexpr RewriteRow kBroadcastsToTiles[] = {
    {{"Broadcast"}, broadcast_to_tile},
};

}  // namespace

std::span<const RewriteRow> broadcasts_before_elementwise() { return kBroadcastsBeforeElementwise; }
std::span<const RewriteRow> broadcast_versions() { return kBroadcastVersions; }
std::span<const RewriteRow> broadcasts_to_tiles() { return kBroadcastsToTiles; }

}  // namespace blobsmith::transforms
