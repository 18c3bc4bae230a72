// NormalizeL2 as the model says: over axes that the VPU does not take it over, with eps as the least sum.
#include <algorithm>

#include "graph/ops/strided.hpp"
#include "transforms/faults/common.hpp"

namespace blobsmith::transforms {
namespace {

constexpr double kLeastEps = 0x1p-14;  ///< smaller ones would be zero on the chip

bool is_known_norm(const Node& n) { return n.is("NormalizeL2") && constant_of(n.input(1)); }
std::vector<int64_t> axes_of_norm(const Node& norm) { return constant_of(norm.input(1))->to_i64(); }

// The VPU normalises over the channels, or over channels and plane; a tensor of three axes has no batch there.
bool are_other_axes(const Shape& s, const std::vector<int64_t>& axes) {
  if (s.size() < 2) return false;
  if (s.size() > 4) return true;  // its stage knows four axes
  const size_t channels = s.size() == 3 ? 0 : 1;
  for (size_t i = 0; i < s.size(); ++i) {
    const bool wanted =
        std::ranges::any_of(axes, [&](int64_t a) { return ops::from_front(a, s.size()) == static_cast<int64_t>(i); });
    const bool done = axes == std::vector<int64_t>{1} ? i == channels : i >= channels;
    if (wanted != done && s[i] != 1) return true;
  }
  return false;
}

/// What is normalised together lies on the channels: [1, values in each, groups, 1].
bool move_axes(Rewriter& rw, Node* n) {
  Shape axes = normalized_axes(axes_of_norm(*n), n->shape().size());
  std::ranges::sort(axes);
  std::vector<int64_t> order(axes.begin(), axes.end());
  for (int64_t i = 0; i < static_cast<int64_t>(n->shape().size()); ++i)
    if (std::ranges::find(axes, i) == axes.end()) order.push_back(i);
  return replace_turned(rw, n, order, [&](Value x) {
    const int64_t inside = product(std::span(x.shape()).first(axes.size())), groups = element_count(x.shape()) / inside;
    const Value columns = rw.reshape(x, {1, inside, groups, 1})->value();
    return rw.make("NormalizeL2", {columns, rw.indices({1})}, n->attrs, n->version)->value();
  });
}

/// x / sqrt(max(sum of squares, eps))
bool spell_out(Rewriter& rw, Node* n) {
  const Value x = n->input(0), square = rw.make("Multiply", {x, x})->value();
  const Value sum = rw.make("ReduceSum", {square, n->input(1)}, attributes({{"keep_dims", true}}))->value();
  const Value root =
      rw.make("Sqrt", {rw.make("Maximum", {sum, rw.scalar(x.type(), n->attrs.real("eps"))})->value()})->value();
  return rw.replace(n, rw.make("Divide", {x, root}));
}

}  // namespace

bool normalises_other_axes(const Node& n) {
  return is_known_norm(n) && is_static(n.shape()) && element_count(n.shape()) > 0 &&
         are_other_axes(n.shape(), axes_of_norm(n));
}

Rewritten move_norms(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) { return normalises_other_axes(*n) && move_axes(rw, n); });
}

bool adds_least_norm(const Node& n) {
  return is_known_norm(n) && n.attrs.text("eps_mode") == "max" && n.attrs.real("eps") >= kLeastEps;
}

Rewritten spell_out_least_norms(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) { return adds_least_norm(*n) && spell_out(rw, n); });
}

}  // namespace blobsmith::transforms
