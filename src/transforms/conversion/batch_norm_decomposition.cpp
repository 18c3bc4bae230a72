// BatchNormInference -> (x - mean) · gamma / sqrt(var + eps) + beta; the constants fold later (front-end spec §5.4).
#include <limits>

#include "core/release.hpp"
#include "graph/evaluations.hpp"
#include "graph/numbering.hpp"
#include "graph/ops/known_value.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

Value fold_now(Rewriter& rw, Value v, numbering::Bounds& bounds) {
  numbering::skip(rw.graph(), bounds.evaluate(v));
  const auto known = known_value(v, std::numeric_limits<int64_t>::max());
  return known ? rw.constant(*known) : v;
}

bool decompose_batch_norm(Rewriter& rw, Node* n) {
  // Version 0 has gamma and beta in front of the data.
  const bool old = n->version == 0;
  const Value x = n->input(old ? 2 : 0), gamma = n->input(old ? 0 : 1), beta = n->input(old ? 1 : 2),
              mean = n->input(3), variance = n->input(4);
  if (x.shape().size() < 2 || gamma.shape().size() != 1 || !is_static(gamma.shape())) return false;
  const Value eps = rw.scalar(x.type(), n->attrs.real("epsilon"));
  Node* shifted = rw.make("Add", {variance, eps});
  Node* deviation = rw.make("Sqrt", {shifted->value()});
  Node* scale = rw.make("Divide", {gamma, deviation->value()});

  // [1, C, 1, ...], by shape arithmetic as the reference does it, so that the numbers of later nodes agree.
  const Value one = rw.indices({1});
  const Value trailing = rw.indices({static_cast<int64_t>(x.shape().size()) - 2});
  Node* ones = rw.make("Broadcast", {one, trailing}, attributes({{"mode", "numpy"}}), 3);
  Node* channels = rw.make("ShapeOf", {gamma});
  const Value pattern = rw.make("Concat", {one, channels->value(), ones->value()}, attributes({{"axis", 0}}))->value();
  const auto align = [&](Value v) {
    return rw.make("Reshape", {v, pattern}, attributes({{"special_zero", true}}))->value();
  };
  const Value scale_aligned = align(scale->value()), beta_aligned = align(beta), mean_aligned = align(mean);

  if (rw.graph().release->model_optimizations) {  // x + (-mean), with the constants computed now
    const Value minus_one = rw.scalar(mean.type(), -1);
    const Value minus_mean = rw.make("Multiply", {mean_aligned, minus_one})->value();
    numbering::Bounds bounds;
    bounds.evaluate(pattern);  // when the first Reshape was made
    const Value shift = fold_now(rw, beta_aligned, bounds), center = fold_now(rw, minus_mean, bounds),
                factor = fold_now(rw, scale_aligned, bounds);
    Node* centered = rw.visit(rw.make("Add", {x, center}));
    Node* scaled = rw.visit(rw.make("Multiply", {centered->value(), factor}));
    return rw.replace(n, rw.visit(rw.make("Add", {scaled->value(), shift})));
  }
  Node* centered = rw.visit(rw.make("Subtract", {x, mean_aligned}));
  Node* scaled = rw.make("Multiply", {centered->value(), scale_aligned});
  return rw.replace(n, rw.make("Add", {scaled->value(), beta_aligned}));
}

constexpr RewriteRow kBatchNormDecomposition[] = {
    {{"BatchNormInference"}, decompose_batch_norm, "ScaleShiftIE"},
};

}  // namespace

std::span<const RewriteRow> batch_norm_decomposition() { return kBatchNormDecomposition; }

}  // namespace blobsmith::transforms
