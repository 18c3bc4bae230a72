// Constants that Model Optimizer 2022 keeps in FP16 ("compressed") stand behind a Convert to FP32 that it marks as a
// decompression. The compiler computes such a network in FP16 throughout: behind the model optimizations FP32 becomes
// FP16 everywhere, and the marked Converts, as all others that change nothing any more, vanish. Until then what is
// behind such a Convert is no constant to the optimizations.
// Source: OpenVINO 2022.1, ConvertCompressedOnlyToLegacy; measured.
#include "transforms/compressed_models.hpp"

#include <algorithm>
#include <bit>

#include "core/float16.hpp"
#include "core/release.hpp"
#include "graph/numbering.hpp"
#include "transforms/conversion/passes.hpp"
#include "transforms/faults/avoid_faults.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith {
namespace transforms {
namespace {

bool is_compressed(const Graph& graph) {
  return std::ranges::any_of(graph.all(), [](const Node* n) { return is_decompression(*n); });
}

constexpr float kLargestHalf = 65504;

/// To nearest, ties to even, of a number whose last 16 bits are cut off.
uint32_t rounded(uint32_t n) { return (n & 0x1FFFFU) == 0x18000U || (n & 0x7FFFU) != 0 ? n + 0x8000U : n; }

/// quirk: a denormal FP16 number is twice too large where its fraction, rounded, is a power of two; and one below 2^-45
/// is shifted by 32 bits and more, which the processor takes for as many less: it may become anything below 2^-13.
Half shifted_half(float f) {
  const uint32_t bits = std::bit_cast<uint32_t>(f), exponent = (bits >> 23) & 255, fraction = (bits & 0x7FFFFFU) << 3;
  const bool carries = (rounded(fraction) & 0x7C000000U) != 0;
  const int shift = 113 - static_cast<int>(exponent) - (carries ? 1 : 0);
  if (exponent == 0 || shift < 1) return float_to_half(f);
  const uint32_t whole = 0x04000000U | fraction, by = static_cast<uint32_t>(shift) % 32;
  const uint32_t lost = (whole & ((1U << by) - 1)) != 0 ? 1 : 0;
  return static_cast<Half>((bits & 0x80000000U) >> 16 | rounded(whole >> by | lost) >> 16);
}

Tensor halved(const Tensor& t) {
  const std::vector<float> values = t.to_f32();
  std::vector<Half> halves(values.size());
  std::ranges::transform(values, halves.begin(), [](float v) {
    if (v > kLargestHalf || v < -kLargestHalf) v = std::clamp(v, -kLargestHalf, kLargestHalf);
    return shifted_half(v);
  });
  return Tensor::of(ElementType::f16, t.shape, std::move(halves));
}

void halve(Graph& graph, Node* n) {
  if (n->is("Parameter") && n->element_type() == ElementType::f32) n->attrs.set(kDeclaredType, "f32");
  if (n->is_constant() && n->element_type() == ElementType::f32) {
    n->constant = halved(n->constant);
    n->output().tensor_names.clear();  // quirk: the constant is another one, which nobody told the names
    numbering::skip(graph, 1);
  }
  for (const char* name : {"destination_type", "output_type"})
    if (n->attrs.has(name) && n->attrs.text(name) == "f32") n->attrs.set(name, "f16");
  if (n->input_count() > 0) return infer(graph, n);  // some are FP32 whatever they read
  if (n->element_type() == ElementType::f32) graph.set_outputs(n, {{ElementType::f16, n->shape()}});
}

void halve_all(Graph& graph) {
  for (Node* n : graph.ordered()) {
    if (n->body)
      in_body(graph, *n, [](Graph& body) {
        halve_all(body);
        return true;
      });
    halve(graph, n);
  }
  Rewriter rw(graph);
  for (Node* n : graph.ordered())
    if (n->is("Convert") && n->input(0).type() == n->element_type()) rw.eliminate(n->value(), n->input(0));
  graph.remove_unreachable();
}

/// Numbers that are rounded to nearest before shifted_half sees them stay as they are.
void round_small_numbers(Graph& graph) {
  for (Node* n : graph.all()) {
    if (n->body)
      in_body(graph, *n, [](Graph& body) {
        round_small_numbers(body);
        return false;
      });
    if (!n->is_constant() || n->element_type() != ElementType::f32) continue;
    std::vector<float> values = n->constant.to_f32();
    bool changed = false;
    for (float& v : values) {
      if (shifted_half(v) == float_to_half(v)) continue;
      v = half_to_float(float_to_half(v));
      changed = true;
    }
    if (changed) n->constant = Tensor::of(ElementType::f32, n->shape(), std::move(values));
  }
}

}  // namespace

bool is_decompression(const Node& n) { return n.is("Convert") && n.attrs.flag(kDecompression); }

bool compute_compressed_in_half(Graph& graph) {
  if (!graph.release->halves_compressed_models || !is_compressed(graph)) return false;
  halve_all(graph);
  return true;
}
}  // namespace transforms

void restore_constants(Graph& graph) {
  bool stores_otherwise = false;
  for (Node* n : graph.all()) {
    if (n->body)
      transforms::in_body(graph, *n, [](Graph& body) {
        restore_constants(body);
        return false;
      });
    if (!n->is("Convert") || !n->input(0).node->is_constant()) continue;
    n->attrs.set(kDecompression, false);
    stores_otherwise = true;
  }
  if (stores_otherwise) transforms::fold_constants(graph);
}

std::vector<Remark> avoid_faults_of_compressed(Graph& graph) {
  if (!graph.release->halves_compressed_models || !transforms::is_compressed(graph)) return avoid_faults(graph);
  transforms::round_small_numbers(graph);
  Graph halved = graph.clone();
  transforms::halve_all(halved);
  std::vector<Remark> remarks = avoid_faults(halved);
  if (!remarks.empty()) graph = std::move(halved);
  return remarks;
}

}  // namespace blobsmith
