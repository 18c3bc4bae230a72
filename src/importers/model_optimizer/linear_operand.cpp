// Multiply and Add by constants: what makes them fusable (model-optimizer spec §6.2).
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {

std::optional<LinearOperand> linear_operand(const Node* n) {
  if ((!n->is("Multiply") && !n->is("Add")) || n->attrs.has(kUnfused)) return std::nullopt;
  const Value a = n->input(0), b = n->input(1);
  const bool first = a.node->is_constant(), second = b.node->is_constant();
  if (first == second) return std::nullopt;
  const LinearOperand l = first ? LinearOperand{b, a} : LinearOperand{a, b};
  if (!is_float(l.constant.type()) || l.data.shape() != n->shape()) return std::nullopt;
  return l;
}

bool is_per_channel(const LinearOperand& l, const Node* n) {
  const Shape& c = l.constant.shape();
  const size_t rank = n->shape().size();
  if (c.size() > rank) return false;
  const size_t channels = n->attrs.flag(kChannelsLast) ? rank - 1 : 1;
  for (size_t i = 0; i < c.size(); ++i)
    if (c[i] != 1 && i + rank - c.size() != channels) return false;
  return true;
}

std::vector<double> doubles(const Tensor& t) {
  if (t.type == ElementType::f64) return {t.as<double>().begin(), t.as<double>().end()};
  const std::vector<float> f = t.to_f32();
  return {f.begin(), f.end()};
}

}  // namespace blobsmith::model_optimizer
