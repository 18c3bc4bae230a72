// x · rsqrt(max(sum(x²), eps)): a norm of vectors, NormalizeL2 (model-optimizer spec §6.1).
#include <set>

#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

bool is_power(const Node* n, double exponent) { return n && transforms::uniform_value(n->input(1)) == exponent; }

/// The axes of sum(x²), kept.
std::optional<Value> axes_of_squares(Value v, Value x) {
  Node* sum = transforms::producer(v, "ReduceSum");
  if (!sum || !sum->attrs.flag("keep_dims") || !sum->input(1).node->is_constant()) return std::nullopt;
  Node* square = transforms::producer(sum->input(0), "Power");
  if (is_power(square, 2) && square->input(0) == x) return sum->input(1);
  Node* product = transforms::producer(sum->input(0), "Multiply");
  if (product && product->input(0) == x && product->input(1) == x) return sum->input(1);
  return std::nullopt;
}

/// Over the channels, which are last in maps, or over all but the batch: the layer has no other form.
bool has_a_form(Value x, const Tensor& axes) {
  const int64_t rank = std::ssize(x.shape());
  if (rank < 2 || rank > 4) return false;
  std::set<int64_t> reduced;
  for (const int64_t a : axes.to_i64()) reduced.insert(a < 0 ? a + rank : a);
  if (reduced.contains(0)) return false;
  return std::ssize(reduced) == rank - 1 || reduced == std::set<int64_t>{rank == 4 ? 3 : 1};
}

}  // namespace

bool fuse_normalize_l2(Rewriter& rw, Node* n) {
  for (const auto& [x, norm] : transforms::either_order(n)) {
    Node* root = transforms::producer(norm, "Power");
    Node* limit = is_power(root, -0.5) ? transforms::producer(root->input(0), "Maximum") : nullptr;
    if (!limit) continue;
    for (const auto& [sum, eps] : transforms::either_order(limit)) {
      const auto value = transforms::single_value(eps);
      const auto axes = value ? axes_of_squares(sum, x) : std::nullopt;
      if (!axes || !has_a_form(x, axes->node->constant)) continue;
      return rw.replace(n, rw.make("NormalizeL2", {x, *axes},
                                   transforms::attributes({{"eps", *value}, {"eps_mode", std::string("max")}})));
    }
  }
  return false;
}

}  // namespace blobsmith::model_optimizer
