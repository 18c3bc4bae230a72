// Factors that FP16 does not hold, or only with few digits, become two: x * 1e6 is x * 16 * 62500, x * 1e-6 is
// x * 2^-14 * 0.016384; not those that only stand for infinity, as in masks. Weights of products and convolutions that
// are too large get a factor behind the product.
#include <algorithm>
#include <cmath>

#include "importers/model_optimizer/rewrites.hpp"
#include "transforms/conversion/passes.hpp"

namespace blobsmith::model_optimizer {
namespace {

constexpr double kLargestFactor = 65504, kSmallestFactor = 1.0 / 16384;

/// The power of two that the numbers are to be divided by; 1 where they fit.
double excess(const Tensor& t) {
  double largest = 0;
  for (const double v : doubles(t))
    if (std::isfinite(v)) largest = std::max(largest, std::fabs(v));
  if (largest == 0 || (largest <= kLargestFactor && largest >= kSmallestFactor)) return 1;
  const int exponent = std::ilogb(largest);
  return std::ldexp(1.0, largest > kLargestFactor ? exponent - 14 : exponent);
}

/// Of the type that the other operand has: sums of double precision may stand where nothing asked for their type yet.
Value divided(Rewriter& rw, const Tensor& t, double by, ElementType type) {
  std::vector<double> v = doubles(t);
  for (double& x : v) x /= by;
  return rw.constant(Tensor::reals(type, t.shape, v));
}

bool is_float_constant(Value v) {
  return v.node->is_constant() && is_float(v.type()) && v.type() != ElementType::f16 && element_count(v.shape()) > 0;
}

/// v holds no number between 0 and 1, as masks made of integers and conditions.
bool holds_whole_numbers(Value v, int depth = 0) {
  constexpr int kFarthest = 16;
  const Node& n = *v.node;
  if (depth > kFarthest) return false;
  if (n.is_constant()) {
    if (element_count(v.shape()) != 1) return false;
    const float x = n.constant.to_f32()[0];
    return x == std::floor(x);
  }
  const auto comes_of = [&](int port) { return holds_whole_numbers(n.input(port), depth + 1); };
  if (n.is("Convert")) return !is_float(n.input(0).type()) || comes_of(0);
  if (n.is("Reshape") || n.is("Squeeze") || n.is("Unsqueeze") || n.is("Transpose") || n.is("Broadcast") ||
      n.is("Tile") || n.is("StridedSlice") || n.is("Gather"))
    return comes_of(0);
  return (n.is("Add") || n.is("Subtract") || n.is("Multiply")) && comes_of(0) && comes_of(1);
}

bool split(Rewriter& rw, Node* n) {
  for (const int port : {0, 1}) {
    const Value c = n->input(port);
    if (!is_float_constant(c) || n->input(1 - port).node->is_constant()) continue;
    if (n->is("Multiply") && holds_whole_numbers(n->input(1 - port))) continue;  // limit_constants: no product is small
    const double by = excess(c.node->constant);
    // A factor of 2^-15 and less has a part of its own; beyond 2^30 nothing is left of the result anyway.
    if (by == 1 || by > 1 << 15 || by < kSmallestFactor / 65536 || (takes_weights(*n) && by < 1)) continue;
    const std::string name = n->name;
    std::vector<Value> inputs = n->inputs();
    const Value other = inputs[static_cast<size_t>(1 - port)];
    inputs[static_cast<size_t>(port)] = divided(rw, c.node->constant, by, other.type());
    if (takes_weights(*n)) {
      Node* product = rw.copy(n, inputs);
      product->name = name + "/scaled";
      Node* scaled = rw.make("Multiply", {product->value(), rw.scalar(product->element_type(), by)});
      scaled->attrs.set(transforms::kStaysApart, true);
      return rw.replace(n, scaled);
    }
    // The factor comes first that brings the numbers towards 1.
    Node* first = rw.make("Multiply", {other, rw.scalar(other.type(), by)});
    first->name = name + "/scaled";
    first->attrs.set(transforms::kStaysApart, true);
    inputs[static_cast<size_t>(1 - port)] = first->value();
    Node* second = rw.copy(n, inputs);
    second->attrs.set(transforms::kStaysApart, true);
    return rw.replace(n, second);
  }
  return false;
}

/// The largest number of a floating constant that FP16 does not hold; 0 where there is none.
double too_large(Value v) {
  if (!is_float_constant(v)) return 0;
  double largest = 0;
  for (const double x : doubles(v.node->constant))
    if (std::isfinite(x)) largest = std::max(largest, std::fabs(x));
  return largest > kLargestFactor ? largest : 0;
}

/// x * c + d with both beyond FP16, as 1 - mask times -1e9 becomes: a part of both, so that it is 0 where it was.
bool limit_both(Rewriter& rw, Node* sum) {
  for (const int port : {0, 1}) {
    const Value d = sum->input(port), product = sum->input(1 - port);
    Node* n = product.node;
    if (too_large(d) == 0 || !n->is("Multiply") || n->output().uses.size() != 1) continue;
    for (const int at : {0, 1}) {
      const Value c = n->input(at);
      if (too_large(c) == 0) continue;
      const double largest = std::max(too_large(c), too_large(d)), by = largest / within_half(largest);
      rw.graph().set_input(n, at, divided(rw, c.node->constant, by, c.type()));
      rw.graph().set_input(sum, port, divided(rw, d.node->constant, by, d.type()));
      return true;
    }
  }
  return false;
}

}  // namespace

bool takes_weights(const Node& n) {
  return n.is("MatMul") || n.is("Convolution") || n.is("GroupConvolution") || n.is("ConvolutionBackpropData") ||
         n.is("GroupConvolutionBackpropData");
}

std::vector<Remark> split_factors(Graph& graph) {
  std::vector<Remark> said;
  Rewriter rw(graph);
  for (Node* n : graph.ordered()) {
    if (!n->is("Add") && !n->is("Subtract")) continue;
    rw.set_origin(n->source);
    if (limit_both(rw, n))
      said.push_back(remark(Remark::Kind::NotAsIntel, *n,
                            "its factor and summand, which FP16 does not hold, become parts of them"));
  }
  for (Node* n : graph.ordered()) {
    if ((!n->is("Multiply") && !takes_weights(*n)) || n->output_count() != 1) continue;
    rw.set_origin(n->source);
    Remark r = remark(Remark::Kind::NotAsIntel, *n, "its factor, which FP16 does not hold, becomes two");
    if (split(rw, n)) said.push_back(std::move(r));
  }
  return said;
}

}  // namespace blobsmith::model_optimizer
