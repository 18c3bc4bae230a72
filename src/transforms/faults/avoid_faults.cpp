// The list of rewrites that avoid wrong results of the reference compiler, with what is said of each.
#include <algorithm>

#include "transforms/faults/avoidance.hpp"

namespace blobsmith {
namespace transforms {

Value slice(Rewriter& rw, Value v, size_t axis, int64_t from, int64_t to) {
  const size_t rank = v.shape().size();
  std::vector<int64_t> begin(rank, 0), end(rank, 0), strides(rank, 1), open(rank, 1), none(rank, 0);
  if (from == 0 && to == v.shape()[axis]) return v;
  begin[axis] = from;
  end[axis] = to;
  open[axis] = 0;
  const Value at = rw.indices(begin), until = rw.indices(end), by = rw.indices(strides);
  return rw
      .make("StridedSlice", {v, at, until, by},
            attributes({{"begin_mask", open},
                        {"end_mask", open},
                        {"new_axis_mask", none},
                        {"shrink_axis_mask", none},
                        {"ellipsis_mask", none}}))
      ->value();
}

bool replace_turned(Rewriter& rw, Node* n, const std::vector<int64_t>& order, const std::function<Value(Value)>& make) {
  const bool turns = !std::ranges::is_sorted(order);
  const Value x = turns ? rw.transpose(n->input(0), order)->value() : n->input(0);
  Node* y = rw.reshape(make(x), x.shape());
  if (!turns) return rw.replace(n, y);
  std::vector<int64_t> back(order.size());
  for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return rw.replace(n, rw.transpose(y->value(), back));
}

namespace {

struct Avoidance {
  Rewritten (*rewrite)(Graph&);
  const char* what;
};

constexpr Avoidance kAvoidances[] = {
    {count_indices_from_front, "its negative indices, which the chip does not know, are counted from the front"},
    {state_coordinates, "its coordinates are said in the words of opset 4, which the chip heeds"},
    {restate_maxima, "its eps, as the least norm, is squared to be the least sum of squares"},
    {spell_out_least_norms,
     "eps is the least sum of squares, not added to it: it becomes the operations that it stands for"},
    {move_norms, "the axes of the norm are put where the chip normalises over them"},
    {move_moments, "its axes are put where the chip normalises over them"},
    {keep_eps_above_zero, "its eps, which would become 0, is 1e-8"},
    {keep_eps_inside, "eps stays inside of the square root: two more values per row make up for it"},
    {place_slopes, "its slopes are applied to the axis that the model says"},
    {give_channels, "it gets a fourth axis, so that its channels are those of the model"},
    {keep_fractions, "its k becomes an integer, and the rest a factor behind it"},
    {compare_with_zero, "the numbers are compared with zero, fractions included"},
    {cut_into_blocks, "its patches are cut by SpaceToDepth, in the model's order"},
    {state_masked_begins, "of the axes that it drops it takes the first element where begin_mask says so"},
    {pad_before_interpolations, "its pads become a Pad before it"},
    {keep_gathers_apart, "the Gather before it and the GatherElements behind it are not made one"},
    {keep_real_shapes, "its real shape is that of the model"},
    {resize_by_weights, "its rows and columns are weighted by two convolutions, as the chip has no such interpolation"},
    {end_sequences, "its data end where the lengths of its sequences say"},
    {spell_out_cells, "its cell, with activations or a clip of its own, becomes the operations that it stands for"},
    {keep_pads_apart, "the zeros of the Pad before it do not become its own padding, which means something else"},
    {keep_norms_apart, "the norm keeps its eps, and stays the operations that it is made of"},
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
