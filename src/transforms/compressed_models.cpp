// Constants that Model Optimizer 2022 keeps in FP16 ("compressed") stand behind a Convert to FP32 that it marks as a
// decompression. The compiler computes such a network in FP16 throughout: FP32 becomes FP16 everywhere, and the marked
// Converts, as all others that change nothing any more, vanish.
// Source: OpenVINO 2022.1, ConvertCompressedOnlyToLegacy; measured.
#include "transforms/compressed_models.hpp"

#include <algorithm>

#include "core/release.hpp"
#include "graph/numbering.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith {
namespace transforms {
namespace {

bool is_decompression(const Node* n) { return n->is("Convert") && n->attrs.flag(kDecompression); }

constexpr double kLargestHalf = 65504;

Tensor halved(const Tensor& t) {
  const std::vector<float> values = t.to_f32();
  std::vector<double> reals(values.begin(), values.end());
  for (double& v : reals)
    if (v > kLargestHalf || v < -kLargestHalf) v = std::clamp(v, -kLargestHalf, kLargestHalf);
  return Tensor::reals(ElementType::f16, t.shape, reals);
}

void halve(Graph& graph, Node* n) {
  if (n->is("Parameter") && n->element_type() == ElementType::f32) n->attrs.set(kDeclaredType, "f32");
  if (n->is_constant() && n->element_type() == ElementType::f32) {
    n->constant = halved(n->constant);
    numbering::skip(graph, 1);
  }
  for (const char* name : {"destination_type", "output_type"})
    if (n->attrs.has(name) && n->attrs.text(name) == "f32") n->attrs.set(name, "f16");
  std::vector<std::pair<ElementType, Shape>> outputs;
  for (int i = 0; i < n->output_count(); ++i)
    outputs.emplace_back(n->element_type(i) == ElementType::f32 ? ElementType::f16 : n->element_type(i), n->shape(i));
  graph.set_outputs(n, std::move(outputs));
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

}  // namespace
}  // namespace transforms

void compute_compressed_in_half(Graph& graph) {
  if (!graph.release->halves_compressed_models || std::ranges::none_of(graph.all(), transforms::is_decompression))
    return;
  transforms::halve_all(graph);
  numbering::validated(graph);
}

}  // namespace blobsmith
