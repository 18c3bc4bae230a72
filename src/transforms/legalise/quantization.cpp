// FakeQuantize: a value is rounded to one of `levels` steps of a range, and those become steps of another range.
// Weights that were quantized so are computed when compiling, exactly; activations in FP16, which holds the steps of 8
// bits.
#include <algorithm>

#include "graph/ops/known_value.hpp"
#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

/// Its ranges are constants: input low and high, output low and high.
bool has_constant_ranges(const Node& n) {
  if (!n.is("FakeQuantize") || n.input_count() != 5 || !is_float(n.element_type()) || n.attrs.integer("levels", 0) < 2)
    return false;
  for (int i = 1; i < 5; ++i)
    if (!n.input(i).node->is_constant()) return false;
  const std::vector<float> low = n.input(1).node->constant.to_f32(), high = n.input(2).node->constant.to_f32();
  if (low.size() != high.size() || n.input(3).shape() != n.input(4).shape()) return false;
  for (size_t i = 0; i < low.size(); ++i)
    if (!(low[i] < high[i])) return false;
  return true;
}

/// The constant that f makes of two ranges of one shape.
template <class F>
Value of_ranges(Terms& t, const Node& n, int a, int b, F f) {
  const Tensor &x = n.input(a).node->constant, &y = n.input(b).node->constant;
  const std::vector<float> u = x.to_f32(), v = y.to_f32();
  std::vector<double> r(u.size());
  for (size_t i = 0; i < r.size(); ++i)
    r[i] = f(static_cast<double>(u[i]), static_cast<double>(v[v.size() == 1 ? 0 : i]));
  return t.rewriter().constant(Tensor::reals(n.element_type(), x.shape, r));
}

constexpr float kLargestNumber = 65504;  ///< of FP16

/// The range of inputs `low` and low + 1 is beyond FP16, though its ends are not.
bool is_wide(const Node& n, int low) {
  const std::vector<float> from = n.input(low).node->constant.to_f32(), to = n.input(low + 1).node->constant.to_f32();
  for (size_t i = 0; i < from.size(); ++i)
    if (to[i] - from[i] > kLargestNumber) return true;
  return false;
}

/// Ends beyond FP16, as those of an attention mask, are its own ends.
Node* with_finite_ranges(Rewriter& rw, const Node& n) {
  Node* r = rw.copy(&n, n.inputs());
  for (int i = 1; i < 5; ++i) {
    const std::vector<float> stated = n.input(i).node->constant.to_f32();
    std::vector<double> v(stated.begin(), stated.end());
    for (double& x : v) x = std::clamp<double>(x, -kLargestNumber, kLargestNumber);
    rw.graph().set_input(r, i, rw.constant(Tensor::reals(n.element_type(), n.input(i).shape(), v)));
  }
  return r;
}

Value quantized(Rewriter& rw, const Node& of) {
  Terms t(rw);
  const Node& n = *with_finite_ranges(rw, of);
  const double steps = static_cast<double>(n.attrs.integer("levels")) - 1;
  const Value within = t.minimum(t.maximum(n.input(0), n.input(1)), n.input(2));
  const Value per_unit = of_ranges(t, n, 1, 2, [&](double from, double to) { return steps / (to - from); });
  const Value least = of_ranges(t, n, 1, 2, [&](double from, double to) { return from * steps / (to - from); });
  const Value place = is_wide(n, 1) ? t.subtract(t.multiply(within, per_unit), least)
                                    : t.multiply(t.subtract(within, n.input(1)), per_unit);
  const Value step = t.make("Round", {place}, transforms::attributes({{"mode", "half_to_even"}}));
  const Value width = of_ranges(t, n, 3, 4, [&](double from, double to) { return (to - from) / steps; });
  if (!is_wide(n, 3)) return t.add(t.multiply(step, width), n.input(3));
  const Value middle = of_ranges(t, n, 3, 4, [&](double from, double to) { return (from + to) / 2; });
  return t.add(t.multiply(t.subtract(step, t.number(step, steps / 2)), width), middle);
}

constexpr SpelledRow kRows[] = {
    {{"FakeQuantize"}, has_constant_ranges, quantized, "what it stands for: limits, steps, rounding"},
};

}  // namespace

std::span<const SpelledRow> quantization_rows() { return kRows; }

}  // namespace blobsmith::legalise_rows

namespace blobsmith {

void strip_quantization(Graph& graph) {
  transforms::Rewriter rw(graph);
  const auto same = [](Value a, Value b) {
    return a.node->is_constant() && b.node->is_constant() && a.node->constant.to_f32() == b.node->constant.to_f32();
  };
  for (Node* n : graph.ordered()) {
    if (n->body) strip_quantization(*n->body);
    if (!n->is("FakeQuantize") || n->input_count() != 5 || known_value(n->input(0))) continue;
    if (same(n->input(1), n->input(3)) && same(n->input(2), n->input(4))) rw.eliminate(n->value(), n->input(0));
  }
  graph.remove_unreachable();
}

}  // namespace blobsmith
