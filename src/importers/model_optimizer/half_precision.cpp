// --data_type FP16 (model-optimizer spec §8.3): floating constants are rounded once, to nearest even; floating inputs
// become half precision. Slopes of PReLU and scales of Interpolate keep single precision.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <iterator>

#include "core/float16.hpp"
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

/// The float from which rounding to FP16 gives what rounding `d` gives: the one on the near side of zero, with its last
/// bit standing for all bits cut off. (Tensor::reals rounds to float first, as the compiler does; numpy rounds once.)
float with_sticky_bit(double d) {
  const float f = static_cast<float>(d);
  if (static_cast<double>(f) == d || !std::isfinite(f)) return f;
  uint32_t bits = std::bit_cast<uint32_t>(f);
  if (std::fabs(static_cast<double>(f)) > std::fabs(d)) --bits;
  return std::bit_cast<float>(bits | 1u);
}

Bytes halves_of(const Tensor& t) {
  t.bytes.data();  // made now where they are deferred: before there is room for the halves
  std::vector<Half> h(static_cast<size_t>(element_count(t.shape)));
  if (t.type == ElementType::f64) {
    const std::span<const double> d = t.as<double>();
    std::array<float, 1024> part{};
    for (size_t begin = 0; begin < d.size(); begin += part.size()) {
      const size_t n = std::min(part.size(), d.size() - begin);
      std::transform(d.begin() + static_cast<ptrdiff_t>(begin), d.begin() + static_cast<ptrdiff_t>(begin + n),
                     part.begin(), with_sticky_bit);
      floats_to_halves(part.data(), h.data() + begin, n);
    }
  } else if (t.type == ElementType::f32) {
    floats_to_halves(t.as<float>().data(), h.data(), h.size());
  } else {
    const std::vector<float> v = t.to_f32();
    floats_to_halves(v.data(), h.data(), v.size());
  }
  t.bytes.leave_memory();
  return Bytes::adopt(std::move(h));
}

/// Many weights are converted when they are read, for a writer that takes one constant after another.
Tensor to_half(const Tensor& t) {
  if (t.type == ElementType::f16) return t;
  const auto count = static_cast<size_t>(element_count(t.shape));
  return {ElementType::f16, t.shape, Bytes::deferred_if_many(count * sizeof(Half), [t] { return halves_of(t); })};
}

Tensor to_single(const Tensor& t) {
  const auto count = static_cast<size_t>(element_count(t.shape));
  return {ElementType::f32, t.shape, Bytes::deferred_if_many(count * sizeof(float), [t] {
            Bytes r = Bytes::adopt(t.to_f32());
            t.bytes.leave_memory();
            return r;
          })};
}

bool is_too_large(double v) { return std::isfinite(v) && std::fabs(v) > 65504; }
/// Without a copy of the values, which may be many.
bool has_too_large(const Tensor& t) {
  const bool found =
      t.type == ElementType::f32
          ? std::ranges::any_of(t.as<float>(), [](float v) { return is_too_large(static_cast<double>(v)); })
          : std::ranges::any_of(t.as<double>(), is_too_large);
  t.bytes.leave_memory();
  return found;
}

bool keeps_single(const NodeUse& use) {
  return (use.node->is("PRelu") && use.port == 1) || (use.node->is("Interpolate") && use.port == 2);
}

void convert_constant(Graph& g, Node* n) {
  const std::vector<NodeUse> uses = n->output().uses;
  Node* half = nullptr;
  Node* single = nullptr;
  for (const NodeUse& use : uses) {
    Node*& by = keeps_single(use) ? single : half;
    if (!by) {
      by = g.constant(keeps_single(use) ? to_single(n->constant) : to_half(n->constant), n->name);
      by->output().tensor_names = n->output().tensor_names;
    }
    g.set_input(use.node, use.port, by->value());
  }
  n->constant.bytes.leave_memory();
}

void convert_node(Graph& g, Node* n) {
  if (n->is_constant()) {
    if (is_float(n->element_type())) convert_constant(g, n);
    return;
  }
  if (n->is("Parameter")) {
    if (is_float(n->element_type())) g.set_outputs(n, {{ElementType::f16, n->shape()}});
    return;
  }
  for (const char* name : {"destination_type", "output_type"})
    if (n->attrs.has(name))
      if (const auto type = parse_element_type(n->attrs.text(name)); type && is_float(*type))
        n->attrs.set(name, std::string("f16"));
  if (n->body) to_half_precision(*n->body);
}

bool drop_convert(Rewriter& rw, Node* n) {
  if (n->element_type() != n->input(0).type()) return false;
  return rw.redirect(n->value(), n->input(0));
}

}  // namespace

double within_half(double v) {
  constexpr double kForInfinity = 1e6, kFarAway = 32768, kLargestHalf = 65504;
  if (!is_too_large(v)) return v;
  return std::copysign(std::fabs(v) >= kForInfinity ? kFarAway : kLargestHalf, v);
}

std::vector<Remark> limit_constants(Graph& graph) {
  std::vector<Remark> limited;
  for (Node* n : graph.all()) {
    if (n->body) std::ranges::move(limit_constants(*n->body), std::back_inserter(limited));
    if (!n->is_constant() || (n->element_type() != ElementType::f32 && n->element_type() != ElementType::f64)) continue;
    if (std::ranges::all_of(n->output().uses, keeps_single)) continue;
    if (!has_too_large(n->constant)) continue;
    const std::vector<double> values = doubles(n->constant);
    std::vector<double> fitting(values.size());
    std::ranges::transform(values, fitting.begin(), within_half);
    n->constant = Tensor::reals(n->element_type(), n->shape(), fitting);
    for (const NodeUse& use : n->output().uses)
      limited.push_back(remark(Remark::Kind::NotAsIntel, *use.node,
                               "its constant, which FP16 does not hold, becomes the nearest that serves"));
  }
  return limited;
}

void to_single_precision(Graph& graph) {
  bool changed = false;
  for (Node* n : graph.all()) {
    if (n->body) to_single_precision(*n->body);
    if ((!n->is_constant() && !n->is("Parameter")) || !is_float(n->element_type()) ||
        n->element_type() == ElementType::f32)
      continue;
    if (n->is_constant()) n->constant = to_single(n->constant);
    graph.set_outputs(n, {{ElementType::f32, n->shape()}});
    changed = true;
  }
  for (Node* n : graph.all())
    for (const char* name : {"destination_type", "output_type"})
      if (n->attrs.has(name))
        if (const auto type = parse_element_type(n->attrs.text(name)); type && is_float(*type))
          n->attrs.set(name, std::string("f32"));
  if (!changed) return;
  infer_all(graph);
  transforms::apply_rewrites(graph, {{{"Convert"}, drop_convert}});
}

void halve_weights(Graph& graph) {
  constexpr int64_t kMany = 1 << 14;
  const auto is_weights = [](const NodeUse& u) { return takes_weights(*u.node) && u.port == 1; };
  for (Node* n : graph.all()) {
    if (!n->is_constant() || (n->element_type() != ElementType::f32 && n->element_type() != ElementType::f64)) continue;
    if (element_count(n->shape()) < kMany || !std::ranges::all_of(n->output().uses, is_weights)) continue;
    if (has_too_large(n->constant)) continue;
    Tensor half = to_half(n->constant);
    n->constant.bytes.leave_memory();
    n->constant = std::move(half);
    graph.set_outputs(n, {{ElementType::f16, n->shape()}});
  }
}

void to_half_precision(Graph& graph) {
  for (Node* n : graph.all()) convert_node(graph, n);
  graph.remove_unreachable();
  infer_all(graph);
  transforms::apply_rewrites(graph, {{{"Convert"}, drop_convert}});
}

void infer_unrounded(Graph& graph, Node* n) {
  std::vector<Node*> doubles;
  bool meets_single = false;
  for (int i = 0; i < n->input_count(); ++i) {
    const Value v = n->input(i);
    if (v && v.node->is_constant() && v.type() == ElementType::f64)
      doubles.push_back(v.node);
    else if (v && v.type() == ElementType::f32)
      meets_single = true;
  }
  if (!meets_single) doubles.clear();
  for (Node* c : doubles) graph.set_outputs(c, {{ElementType::f32, c->shape()}});
  infer(graph, n);
  for (Node* c : doubles) graph.set_outputs(c, {{ElementType::f64, c->shape()}});
}

}  // namespace blobsmith::model_optimizer
