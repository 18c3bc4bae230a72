// NormalizeL2, Softmax and MVN from their spelled-out forms (front-end spec §5.4).
#include <algorithm>

#include "core/release.hpp"
#include "transforms/conversion/passes.hpp"
#include "transforms/conversion/rewrites.hpp"
#include "transforms/conversion/shared_fusions.hpp"
#include "transforms/faults/common.hpp"

namespace blobsmith::transforms {
namespace {

bool is_power_of(Value v, double exponent, Value& base) {
  Node* power = producer(v, "Power");
  if (!power || !is_single(power->input(1), exponent)) return false;
  base = power->input(0);
  return true;
}

// v = Reduce(x, constant axes) of the given type.
Node* reduction(Value v, std::string_view type) {
  Node* n = producer(v, type);
  return n && constant_of(n->input(1)) ? n : nullptr;
}

std::vector<int64_t> axes_of(const Node* reduce) { return constant_of(reduce->input(1))->to_i64(); }

constexpr const char* kDivideApart = "apart";  ///< of a Divide that is not to be fused

/// x / max(sqrt(ReduceSum(x²)), eps) or x / (sqrt(ReduceSum(x²)) + eps)
struct Normalization {
  Node* sum = nullptr;
  double eps = 0;
  bool is_max = false;
};

/// x / sqrt(max(ReduceSum(x²), eps)) or x / sqrt(ReduceSum(x²) + eps)
std::optional<Normalization> normalization_guarded_inside(const Node& divide) {
  const Node* root = producer(divide.input(1), "Sqrt");
  const Node* guard = root ? root->input(0).node : nullptr;
  if (!guard || !(guard->is("Maximum") || guard->is("Add"))) return std::nullopt;
  for (const auto& [s, eps] : either_order(guard)) {
    const auto eps_value = single_value(eps);
    Node* sum = eps_value ? reduction(s, "ReduceSum") : nullptr;
    Value base;
    if (sum && is_power_of(sum->input(0), 2, base) && base == divide.input(0))
      return Normalization{sum, *eps_value, guard->is("Maximum")};
  }
  return std::nullopt;
}

std::optional<Normalization> normalization_l2(const Node& divide) {
  const Value x = divide.input(0);
  const Node* guard = divide.input(1).node;
  const bool is_max = guard->is("Maximum");
  if (!is_max && !guard->is("Add")) return std::nullopt;
  for (const auto& [root, eps] : either_order(guard)) {
    const auto eps_value = single_value(eps);
    Node* sqrt = producer(root, "Sqrt");
    Node* sum = sqrt && eps_value ? reduction(sqrt->input(0), "ReduceSum") : nullptr;
    Value base;
    if (sum && is_power_of(sum->input(0), 2, base) && base == x) return Normalization{sum, *eps_value, is_max};
  }
  return std::nullopt;
}

}  // namespace

bool is_changed_by_l2_fusion(const Node& divide) {
  if (!divide.is("Divide")) return false;
  const auto l2 = normalization_l2(divide);
  return l2 && !l2->is_max && l2->eps != 1.0;
}

bool is_l2_of_maximum(const Node& divide) {
  const auto l2 = divide.is("Divide") ? normalization_l2(divide) : std::nullopt;
  return l2 && l2->is_max;
}

bool becomes_l2(const Node& divide, bool guarded_inside) {
  return divide.is("Divide") && (guarded_inside ? normalization_guarded_inside(divide) : normalization_l2(divide));
}

bool is_changed_by_guarded_l2_fusion(const Node& divide) {
  constexpr double kNegligible = 1.0 / (1 << 14);
  const auto l2 = divide.is("Divide") ? normalization_guarded_inside(divide) : std::nullopt;
  if (!l2) return false;
  const bool over_channels = normalized_axes(axes_of(l2->sum), divide.shape().size()) == Shape{1};
  return !over_channels || !l2->sum->attrs.flag("keep_dims") || (l2->is_max && l2->eps >= kNegligible);
}

Rewritten keep_guarded_norms_apart(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (!is_changed_by_guarded_l2_fusion(*n)) continue;
    n->attrs.set(kDivideApart, true);
    list.push_back(rewritten(*n));
  }
  return list;
}

Rewritten restate_maxima(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) {
    if (!is_l2_of_maximum(*n)) return false;
    const Normalization l2 = *normalization_l2(*n);
    return rw.replace(n, rw.make("NormalizeL2", {n->input(0), l2.sum->input(1)},
                                 attributes({{"eps", l2.eps * l2.eps}, {"eps_mode", "max"}})));
  });
}

Rewritten keep_norms_apart(Graph& graph) {
  Rewritten list;
  for (Node* n : graph.ordered()) {
    if (!is_changed_by_l2_fusion(*n)) continue;
    n->attrs.set(kDivideApart, true);
    list.push_back(rewritten(*n));
  }
  return list;
}

namespace {

bool fuse_normalize_l2(Rewriter& rw, Node* n) {
  const bool inside = rw.graph().release->l2_guard_under_root;
  const auto l2 = n->attrs.flag(kDivideApart) ? std::nullopt
                  : inside                    ? normalization_guarded_inside(*n)
                                              : normalization_l2(*n);
  if (!l2) return false;
  // quirk: a guard outside of the root that is a sum has a truth value, 1.0, stored as eps; one that is a maximum its
  // eps instead of the square.
  const double stored = inside || l2->is_max ? l2->eps : 1.0;
  Attributes attrs = attributes({{"eps", stored}, {"eps_mode", l2->is_max ? "max" : "add"}});
  if (n->attrs.flag(kExactFactor)) attrs.set(kExactFactor, true);
  return rw.replace(n, rw.make("NormalizeL2", {n->input(0), l2->sum->input(1)}, std::move(attrs)));
}

}  // namespace

bool fuse_softmax(Rewriter& rw, Node* n) {  // e / ReduceSum(e) with e = Exp(x - ReduceMax(x)), along one axis
  Node* exp = producer(n->input(0), "Exp");
  Node* sum = reduction(n->input(1), "ReduceSum");
  if (!exp || !sum || sum->input(0) != n->input(0)) return false;
  Node* subtract = producer(exp->input(0), "Subtract");
  Node* max = subtract ? reduction(subtract->input(1), "ReduceMax") : nullptr;
  if (!max || max->input(0) != subtract->input(0)) return false;
  const size_t rank = n->shape().size();
  const Shape max_axes = normalized_axes(axes_of(max), rank), sum_axes = normalized_axes(axes_of(sum), rank);
  if (max_axes.size() != 1 || max_axes != sum_axes) return false;
  return rw.replace(n, rw.make("Softmax", {subtract->input(0)}, attributes({{"axis", max_axes[0]}})));
}

namespace {

// x - ReduceMean(x, axes)
struct Centered {
  Value x;
  Node* mean = nullptr;
};

std::optional<Centered> centered(Value v) {
  Node* subtract = producer(v, "Subtract");
  Node* mean = subtract ? reduction(subtract->input(1), "ReduceMean") : nullptr;
  if (!mean || mean->input(0) != subtract->input(0)) return std::nullopt;
  return Centered{subtract->input(0), mean};
}

struct Deviation {
  Node* mean = nullptr;  ///< ReduceMean of the squares
  double eps = 0;
  bool eps_inside = false;
};

std::optional<Value> root_argument(Value v) {
  Value base;
  if (Node* sqrt = producer(v, "Sqrt")) return sqrt->input(0);
  if (is_power_of(v, 0.5, base)) return base;
  return std::nullopt;
}

// v = a + eps; calls f(a, eps) for each way to read it until it succeeds.
template <class F>
bool with_eps(Value v, F f) {
  Node* add = producer(v, "Add");
  if (!add) return false;
  for (const auto& [a, eps] : either_order(add))
    if (const auto value = single_value(eps); value && f(a, *value)) return true;
  return false;
}

// sqrt(mean + eps) or sqrt(mean) + eps
std::optional<Deviation> deviation(Value v) {
  Deviation d;
  if (const auto argument = root_argument(v)) {
    const bool ok = with_eps(*argument, [&](Value a, double eps) {
      d = {reduction(a, "ReduceMean"), eps, true};
      return d.mean != nullptr;
    });
    if (ok) return d;
  }
  const bool ok = with_eps(v, [&](Value a, double eps) {
    const auto argument = root_argument(a);
    d = {argument ? reduction(*argument, "ReduceMean") : nullptr, eps, false};
    return d.mean != nullptr;
  });
  return ok ? std::optional(d) : std::nullopt;
}

/// What an MVN is made of.
struct Moments {
  Value x, axes;
  double eps = 0;
  bool eps_inside = false;
};

std::optional<Moments> quotient(Value numerator, Value denominator) {
  const auto top = centered(numerator);
  const auto bottom = top ? deviation(denominator) : std::nullopt;
  Value squared;
  if (!bottom || !is_power_of(bottom->mean->input(0), 2, squared)) return std::nullopt;
  if (Node* convert = producer(squared, "Convert")) squared = convert->input(0);
  const auto inner = centered(squared);
  if (!inner || inner->x != top->x) return std::nullopt;
  const std::vector<int64_t> axes = axes_of(top->mean);
  if (axes != axes_of(inner->mean) || axes != axes_of(bottom->mean)) return std::nullopt;
  return Moments{top->x, top->mean->input(1), bottom->eps, bottom->eps_inside};
}

// (x - mean) / deviation, (x - mean) · deviation^-1
std::optional<Moments> normalized_moments(const Node& n) {
  if (n.is("Divide")) return quotient(n.input(0), n.input(1));
  if (!n.is("Multiply")) return std::nullopt;
  for (const auto& [numerator, inverse] : either_order(&n)) {
    Value base;
    if (!is_power_of(inverse, -1, base)) continue;
    if (const auto moments = quotient(numerator, base)) return moments;
  }
  return std::nullopt;
}

Node* make_mvn(Rewriter& rw, const Moments& m) {
  return rw.make(
      "MVN", {m.x, m.axes},
      attributes(
          {{"normalize_variance", true}, {"eps", m.eps}, {"eps_mode", m.eps_inside ? "inside_sqrt" : "outside_sqrt"}}),
      6);
}

}  // namespace

bool fuse_mvn(Rewriter& rw, Node* n) {
  const auto moments = normalized_moments(*n);
  return moments && rw.replace(n, make_mvn(rw, *moments));
}

namespace {

// (ReduceMean(SquaredDifference(x, mean)) + eps)^-0.5, with mean = ReduceMean(x) over the same axes.
struct InverseDeviation {
  Node* mean = nullptr;
  double eps = 0;
};

std::optional<InverseDeviation> inverse_deviation(Value v) {
  Value base;
  InverseDeviation d;
  if (!is_power_of(v, -0.5, base)) return std::nullopt;
  const bool ok = with_eps(base, [&](Value a, double eps) {
    Node* variance = reduction(a, "ReduceMean");
    Node* difference = variance ? producer(variance->input(0), "SquaredDifference") : nullptr;
    if (!difference) return false;
    for (const auto& [x, m] : either_order(difference)) {
      d = {reduction(m, "ReduceMean"), eps};
      if (d.mean && d.mean->input(0) == x && axes_of(d.mean) == axes_of(variance)) return true;
    }
    return false;
  });
  return ok ? std::optional(d) : std::nullopt;
}

struct WeightedMoments {
  Moments moments;
  Value gamma, beta;
};

// x·m + (beta - mean·m) with m = gamma · inverse deviation
std::optional<WeightedMoments> weighted_moments(const Node& n) {
  if (!n.is("Add")) return std::nullopt;
  for (const auto& [scaled, rest] : either_order(&n)) {
    Node* product = producer(scaled, "Multiply");
    Node* subtract = producer(rest, "Subtract");
    Node* mean_product =
        subtract && constant_of(subtract->input(0)) ? producer(subtract->input(1), "Multiply") : nullptr;
    if (!product || !mean_product) continue;
    for (const auto& [x, m] : either_order(product)) {
      Node* scale = producer(m, "Multiply");
      if (!scale) continue;
      for (const auto& [inverse, gamma] : either_order(scale)) {
        const auto d = constant_of(gamma) ? inverse_deviation(inverse) : std::nullopt;
        if (!d || d->mean->input(0) != x) continue;
        const auto is_mean_times_m = [&, m = m](const Operands& o) { return o.a == m && o.b == d->mean->value(); };
        if (std::ranges::none_of(either_order(mean_product), is_mean_times_m)) continue;
        return WeightedMoments{{x, d->mean->input(1), d->eps, true}, gamma, subtract->input(0)};
      }
    }
  }
  return std::nullopt;
}

bool fuse_mvn_with_constants(Rewriter& rw, Node* n) {
  const auto weighted = weighted_moments(*n);
  if (!weighted) return false;
  Node* mvn = make_mvn(rw, weighted->moments);
  Node* scaled = rw.make("Multiply", {mvn->value(), weighted->gamma});
  return rw.replace(n, rw.make("Add", {scaled->value(), weighted->beta}));
}

}  // namespace

std::optional<double> eps_inside_mvn(const Node& n) {
  std::optional<Moments> moments = normalized_moments(n);
  if (const auto weighted = moments ? std::nullopt : weighted_moments(n)) moments = weighted->moments;
  if (moments && moments->eps_inside) return moments->eps;
  if (n.is("MVN") && n.version == 6 && n.attrs.text("eps_mode") == "inside_sqrt" && n.attrs.flag("normalize_variance"))
    return n.attrs.real("eps");
  return std::nullopt;
}

namespace {

constexpr RewriteRow kL2Fusions[] = {
    {{"Divide"}, fuse_normalize_l2},
};
constexpr RewriteRow kSoftmaxFusions[] = {
    {{"Divide"}, fuse_softmax},
};
constexpr RewriteRow kMvnFusions[] = {
    {{"Multiply", "Divide"}, fuse_mvn},
    {{"Add"}, fuse_mvn_with_constants},
};

}  // namespace

std::span<const RewriteRow> l2_fusions() { return kL2Fusions; }
std::span<const RewriteRow> softmax_fusions() { return kSoftmaxFusions; }
std::span<const RewriteRow> mvn_fusions() { return kMvnFusions; }

}  // namespace blobsmith::transforms
