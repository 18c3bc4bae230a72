// The list of rewrites that avoid wrong results of the reference compiler, with what is said of each.
#include "transforms/avoid_faults.hpp"

namespace blobsmith {
namespace transforms {
namespace {

struct Avoidance {
  Rewritten (*rewrite)(Graph&);
  const char* what;
};

constexpr Avoidance kAvoidances[] = {
    {count_indices_from_front, "its negative indices, which the chip does not know, are counted from the front"},
    {state_coordinates, "its coordinates are said in the words of opset 4, which the chip heeds"},
    {spell_out_norms, "the norm is over other axes than the chip's, and becomes the operations that it stands for"},
    {place_slopes, "its slopes are applied to the axis that the model says"},
    {give_channels, "it gets a fourth axis, so that its channels are those of the model"},
    {keep_fractions, "its k becomes an integer, and the rest a factor behind it"},
    {compare_with_zero, "the numbers are compared with zero, fractions included"},
    {cut_into_blocks, "its patches are cut by SpaceToDepth, in the model's order"},
    {pad_before_interpolations, "its pads become a Pad before it"},
    {keep_gathers_apart, "the Gather before it and the GatherElements behind it are not made one"},
    {keep_real_shapes, "its real shape is that of the model"},
    {end_sequences, "its data end where the lengths of its sequences say"},
    {spell_out_cells, "its cell, with activations or a clip of its own, becomes the operations that it stands for"},
    {keep_pads_apart, "the zeros of the Pad before it do not become its own padding, which means something else"},
    {keep_norms_apart, "the norm keeps its eps and axes, and stays the operations that it is made of"},
};

void avoid(Graph& graph, const Avoidance& a, std::vector<AvoidedFault>& list) {
  for (std::string& layer : a.rewrite(graph)) list.push_back({std::move(layer), a.what});
  for (const Node* n : graph.ordered())
    if (n->body) {
      n->body->next_id = graph.next_id;
      avoid(*n->body, a, list);
      graph.next_id = n->body->next_id;
    }
}

}  // namespace
}  // namespace transforms

std::vector<AvoidedFault> avoid_faults(Graph& graph) {
  std::vector<AvoidedFault> list;
  for (const transforms::Avoidance& a : transforms::kAvoidances) transforms::avoid(graph, a, list);
  return list;
}

}  // namespace blobsmith
