// PReLU, LRN and GRN in forms of which the VPU takes the right axis for the channels, and LRN with a k that it can
// keep.
#include <algorithm>
#include <cmath>

#include "transforms/faults/common.hpp"

namespace blobsmith::transforms {
namespace {

constexpr double kLowestHalf = -65504;
constexpr size_t kMostAxes = 5;  ///< of which the second is executed as the channels

/// The same elements with a plane's height of one between channels and width.
Value with_height(Rewriter& rw, Value v) {
  const Shape& s = v.shape();
  return rw.reshape(v, {s[0], s[1], 1, s[2]})->value();
}
Node* without_height(Rewriter& rw, Value v) {
  const Shape& s = v.shape();
  return rw.reshape(v, {s[0], s[1], s[3]});
}

bool has_three_axes(const Node& n) { return n.shape().size() == 3 && is_static(n.shape()); }

// ---- PReLU ----

/// The shape of the slopes, aligned with the data from its last axis on: a vector lies on the channels.
Shape aligned_slopes(const Node& n) {
  const Shape& data = n.shape();
  Shape s = n.input(1).shape();
  if (s.size() == 1 && s[0] != 1 && data.size() > 1) s.resize(data.size() - 1, 1);
  s.insert(s.begin(), data.size() - std::min(s.size(), data.size()), 1);
  return s;
}

bool lie_on_channels(const Node& n) {
  const Shape s = aligned_slopes(n);
  if (s.size() != n.shape().size()) return false;
  for (size_t i = 0; i < s.size(); ++i)
    if (i != 1 && s[i] != 1) return false;
  return true;
}

/// max(x, 0) + slope · min(x, 0)
Node* spelled_out(Rewriter& rw, const Node& n, Value slopes) {
  const Value x = n.input(0);
  const Value above = rw.make("Relu", {x})->value();
  const Value below = rw.make("Clamp", {x}, attributes({{"min", kLowestHalf}, {"max", 0.0}}))->value();
  return rw.make("Add", {above, rw.make("Multiply", {below, slopes})->value()});
}

bool prelu(Rewriter& rw, Node* n) {
  if (!has_misplaced_slopes(*n)) return false;
  if (lie_on_channels(*n) && has_three_axes(*n)) {
    const Value slopes = rw.reshape(n->input(1), {n->shape()[1]})->value();
    return rw.replace(n, without_height(rw, rw.make("PRelu", {with_height(rw, n->input(0)), slopes})->value()));
  }
  const std::vector<float> slopes = constant_of(n->input(1))->to_f32();  // of another type, maybe, than the data
  const std::vector<double> values(slopes.begin(), slopes.end());
  const Value aligned = rw.constant(Tensor::reals(n->element_type(), aligned_slopes(*n), values));
  return rw.replace(n, spelled_out(rw, *n, aligned));
}

// ---- LRN and GRN ----

Shape axes_of(const Node& n) { return normalized_axes(constant_of(n.input(1))->to_i64(), n.shape().size()); }

/// Window sums are divided by the size once for every axis: the added height counts too.
bool lrn_with_height(Rewriter& rw, Node* n) {
  const bool across = axes_of(*n) == Shape{1};
  Attributes attrs = n->attrs;
  if (!across) attrs.set("alpha", attrs.real("alpha") * static_cast<double>(attrs.integer("size")));
  const Value axes = rw.indices(across ? std::vector<int64_t>{1} : std::vector<int64_t>{2, 3});
  return rw.replace(n, without_height(rw, rw.make("LRN", {with_height(rw, n->input(0)), axes}, attrs)->value()));
}

/// x / (k + alpha·s)^beta = (m/k)^beta · x / (m + alpha·m/k·s)^beta, for an m that is an integer and does not make
/// alpha smaller.
bool lrn_with_integer(Rewriter& rw, Node* n) {
  const double k = n->attrs.real("bias"), m = std::ceil(k);
  Attributes attrs = n->attrs;
  attrs.set("bias", m);
  attrs.set("alpha", attrs.real("alpha") * m / k);
  const Value y = rw.make("LRN", n->inputs(), attrs)->value();
  return rw.replace(n, rw.make("Multiply", {y, rw.scalar(y.type(), std::pow(m / k, attrs.real("beta")))}));
}

}  // namespace

bool has_misplaced_slopes(const Node& n) {
  if (!n.is("PRelu") || !is_static(n.shape()) || !constant_of(n.input(1)) || uniform_value(n.input(1)) ||
      !broadcasts_into(aligned_slopes(n), n.shape()))
    return false;
  return n.shape().size() == 3 || n.shape().size() > kMostAxes || (n.shape().size() > 1 && !lie_on_channels(n));
}

bool has_channels_among_many_axes(const Node& n) {
  const Shape& s = n.shape();
  if ((!n.is("Multiply") && !n.is("Add")) || s.size() <= kMostAxes || !is_static(s) || !is_float(n.element_type()))
    return false;
  const int port = constant_of(n.input(0)) ? 0 : 1;
  const Shape& c = n.input(port).shape();
  if (!constant_of(n.input(port)) || n.input(1 - port).shape() != s || c.size() + 1 < s.size() || s[1] == 1)
    return false;
  return element_count(c) == s[1] && c[c.size() - s.size() + 1] == s[1];
}

Rewritten set_channels_apart(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) {
    if (!has_channels_among_many_axes(*n)) return false;
    const Shape s = n->shape();
    const int port = constant_of(n->input(0)) ? 0 : 1;
    const int64_t others = element_count(s) / s[0] / s[1];
    const Value c = rw.reshape(n->input(port), {1, s[1], 1, 1})->value();
    const Value x = rw.reshape(n->input(1 - port), {s[0], s[1], others, 1})->value();
    return rw.replace(n, rw.reshape(rw.make(n->type, {x, c}, n->attrs)->value(), s));
  });
}

Rewritten place_slopes(Graph& graph) { return rewrite_each(graph, prelu); }

bool lacks_channels(const Node& n) {
  if (!has_three_axes(n)) return false;
  return n.is("GRN") || (n.is("LRN") && constant_of(n.input(1)) && (axes_of(n) == Shape{1} || axes_of(n) == Shape{2}));
}

Rewritten give_channels(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) {
    if (!lacks_channels(*n)) return false;
    if (n->is("LRN")) return lrn_with_height(rw, n);
    return rw.replace(n, without_height(rw, rw.make("GRN", {with_height(rw, n->input(0))}, n->attrs)->value()));
  });
}

bool loses_fraction(const Node& n) {
  const double k = n.is("LRN") ? n.attrs.real("bias") : 1;
  return k > 0 && k != std::floor(k);
}

Rewritten keep_fractions(Graph& graph) {
  return rewrite_each(graph, [](Rewriter& rw, Node* n) { return loses_fraction(*n) && lrn_with_integer(rw, n); });
}

}  // namespace blobsmith::transforms
