// MVN as the model says: with eps inside of the square root, over axes that the VPU lacks; of NormalizeL2 too, with eps
// too small for a blob.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "transforms/conversion/passes.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/faults/common.hpp"

namespace blobsmith::transforms {
namespace {

constexpr double kNegligible =
    1e-9;  ///< eps, inside or outside: for variances from 1e-6 on less than half a unit of FP16
constexpr double kLeastStated = 1e-8;            ///< eps reaches the blob with 8 decimals
constexpr double kLeastHalf = 0x1p-14;           ///< smaller constants become zero
constexpr int64_t kMostRows = int64_t{1} << 22;  ///< each gets two values, which are constants of the blob

Shape axes_of_mvn(const Node& mvn) {
  Shape axes = normalized_axes(constant_of(mvn.input(1))->to_i64(), mvn.shape().size());
  std::ranges::sort(axes);
  return axes;
}

bool is_known_mvn(const Node& n) {
  return n.is("MVN") && n.version == 6 && constant_of(n.input(1)) && is_static(n.shape()) && !n.shape().empty() &&
         element_count(n.shape()) > 0;
}

bool has(const Shape& axes, size_t axis) { return std::ranges::find(axes, static_cast<int64_t>(axis)) != axes.end(); }

/// Three or four axes, the last one among those that are normalised, a batch not.
bool is_native(const Node& mvn) {
  const Shape axes = axes_of_mvn(mvn);
  const size_t rank = mvn.shape().size();
  return (rank == 3 || rank == 4) && has(axes, rank - 1) && !(rank == 4 && has(axes, 0));
}

// ---- other axes ----

/// The axes that stay, then those that are normalised.
std::vector<int64_t> order_with_last(const Shape& axes, size_t rank) {
  std::vector<int64_t> order;
  for (size_t i = 0; i < rank; ++i)
    if (!has(axes, i)) order.push_back(static_cast<int64_t>(i));
  order.insert(order.end(), axes.begin(), axes.end());
  return order;
}

/// One row for every group of values: [1, groups, values in each].
bool move_moments(Rewriter& rw, Node* n) {
  const Shape axes = axes_of_mvn(*n);
  return replace_turned(rw, n, order_with_last(axes, n->shape().size()), [&](Value x) {
    const int64_t inside = product(std::span(x.shape()).last(axes.size()));
    const Value rows = rw.reshape(x, {1, element_count(x.shape()) / inside, inside})->value();
    return rw.make("MVN", {rows, rw.indices({2})}, n->attrs, 6)->value();
  });
}

// ---- eps inside
// --------------------------------------------------------------------------------------------------------------- x -
// mean has mean 0. With d and -d beside each of its rows of W values the variance of all is W/(W+2) · (variance +
// 2d²/W); for d² = W·eps/2 the root of that is the wanted divisor, but for a constant factor.

double distance(int64_t width, double eps) { return std::sqrt(static_cast<double>(width) * eps / 2); }

/// Whether the values beside the rows of an MVN, as it is or moved, are numbers of FP16, and not too many.
bool has_room(const Node& mvn) {
  if (!is_known_mvn(mvn)) return false;
  int64_t width = mvn.shape().back();
  if (!is_native(mvn)) {
    width = 1;
    for (const int64_t a : axes_of_mvn(mvn)) width *= mvn.shape()[static_cast<size_t>(a)];
  }
  return element_count(mvn.shape()) / width <= kMostRows && distance(width, mvn.attrs.real("eps")) >= kLeastHalf;
}

Value pairs(Rewriter& rw, const Node& mvn) {
  Shape shape = mvn.shape();
  shape.back() = 2;
  const double d = distance(mvn.shape().back(), mvn.attrs.real("eps"));
  std::vector<double> values(static_cast<size_t>(element_count(shape)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = i % 2 == 0 ? d : -d;
  return rw.constant(Tensor::reals(mvn.element_type(), std::move(shape), values));
}

Node* outside(Rewriter& rw, Value x, Value axes, bool normalize_variance) {
  return rw.make("MVN", {x, axes},
                 attributes({{"normalize_variance", normalize_variance}, {"eps", 0.0}, {"eps_mode", "outside_sqrt"}}),
                 6);
}

bool put_eps_inside(Rewriter& rw, Node* n) {
  const size_t last = n->shape().size() - 1;
  const int64_t width = n->shape().back();
  const Value axes = n->input(1), centered = outside(rw, n->input(0), axes, false)->value();
  const Value rows =
      rw.make("Concat", {centered, pairs(rw, *n)}, attributes({{"axis", static_cast<int64_t>(last)}}))->value();
  const Value normalized = slice(rw, outside(rw, rows, axes, true)->value(), last, 0, width);
  const double factor = std::sqrt(static_cast<double>(width) / static_cast<double>(width + 2));
  return rw.replace(n, rw.make("Multiply", {normalized, rw.scalar(normalized.type(), factor)}));
}

}  // namespace

bool mistakes_eps(const Node& n) {
  const auto eps = eps_inside_mvn(n);
  return eps && *eps > kNegligible;
}

bool mistakes_eps_for_good(const Node& n) { return n.is("MVN") && mistakes_eps(n) && !has_room(n); }

bool loses_eps(const Node& n) {
  const bool divides = n.is("NormalizeL2") || (n.is("MVN") && n.attrs.flag("normalize_variance"));
  return divides && n.attrs.real("eps") < kLeastStated && !mistakes_eps(n);
}

Rewritten move_moments(Graph& graph) {
  fold_constants(graph);
  apply_rewrites(graph, mvn_fusions());
  return rewrite_each(graph,
                      [](Rewriter& rw, Node* n) { return is_known_mvn(*n) && !is_native(*n) && move_moments(rw, n); });
}

Rewritten keep_eps_inside(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) {
    return mistakes_eps(*n) && has_room(*n) && is_native(*n) && put_eps_inside(rw, n);
  });
}

Rewritten keep_eps_above_zero(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (!loses_eps(*n)) continue;
    n->attrs.set("eps", kLeastStated);
    if (n->is("MVN") && n->version == 6) n->attrs.set("eps_mode", "outside_sqrt");
    list.push_back(rewritten(*n));
  }
  return list;
}

}  // namespace blobsmith::transforms
