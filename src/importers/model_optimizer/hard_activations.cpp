// HSwish and HSigmoid from their spelled-out forms. Only a product with 1/6 is recognised, no division by 6
// (model-optimizer spec §6.1).
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

constexpr double kTolerance = 1e-6;

/// x of Clamp(x + 3, 0, 6).
std::optional<Value> gate_argument(Value v) {
  const Node* clamp = transforms::producer(v, "Clamp");
  if (!clamp || clamp->attrs.real("min", 1) != 0 || clamp->attrs.real("max", 0) != 6) return std::nullopt;
  Node* add = transforms::producer(clamp->input(0), "Add");
  if (!add) return std::nullopt;
  for (const auto& [x, three] : transforms::either_order(add))
    if (transforms::is_single(three, 3, kTolerance)) return x;
  return std::nullopt;
}

/// v of v · (1/6).
std::optional<Value> sixth_of(Node* n) {
  for (const auto& [v, sixth] : transforms::either_order(n))
    if (transforms::is_single(sixth, 1.0 / 6, kTolerance)) return v;
  return std::nullopt;
}

}  // namespace

bool fuse_hsigmoid(Rewriter& rw, Node* n) {
  const auto gate = sixth_of(n);
  const auto x = gate ? gate_argument(*gate) : std::nullopt;
  return x && rw.replace(n, rw.make("HSigmoid", {*x}));
}

bool fuse_hswish(Rewriter& rw, Node* n) {
  const auto scaled = sixth_of(n);
  Node* product = scaled ? transforms::producer(*scaled, "Multiply") : nullptr;
  if (!product) return false;
  for (const auto& [x, gate] : transforms::either_order(product))
    if (gate_argument(gate) == x) return rw.replace(n, rw.make("HSwish", {x}));
  return false;
}

}  // namespace blobsmith::model_optimizer
