// Reshape-Transpose-Reshape forms become DepthToSpace or ShuffleChannels; transposes that move nothing become Reshapes
// (front-end spec §5.4).
#include <numeric>

#include "transforms/conversion/rewrites.hpp"
#include "transforms/conversion/shared_fusions.hpp"

namespace blobsmith::transforms {
namespace {

struct Rearrangement {
  Value x;
  Shape split;  ///< after the first Reshape
  std::vector<int64_t> order;
  Shape result;
};

std::optional<std::vector<int64_t>> transpose_order(const Node& n) {
  const Tensor* t = constant_of(n.input(1));
  const size_t rank = n.shape().size();
  if (!t) return std::nullopt;
  std::vector<int64_t> order = t->to_i64();
  if (order.empty()) {  // reversed
    order.resize(rank);
    std::iota(order.rbegin(), order.rend(), 0);
  }
  if (order.size() != rank) return std::nullopt;
  return normalized_axes(order, rank);
}

// Reshape(Transpose(Reshape(x))) with constants, the inner two read by nobody else.
std::optional<Rearrangement> rearrangement(const Node& n) {
  Node* transpose = producer(n.input(0), "Transpose");
  if (!transpose || !has_one_user(n.input(0)) || !constant_of(n.input(1))) return std::nullopt;
  Node* first = producer(transpose->input(0), "Reshape");
  if (!first || !has_one_user(transpose->input(0)) || !constant_of(first->input(1))) return std::nullopt;
  const auto order = transpose_order(*transpose);
  if (!order || !is_static(first->input(0).shape())) return std::nullopt;
  return Rearrangement{first->input(0), first->shape(), *order, n.shape()};
}

// How DepthToSpace splits its input, in which order it puts the parts, and what comes out.
Rearrangement depth_to_space_form(const Shape& x, int64_t block, bool depth_first) {
  const size_t spatial = x.size() - 2;
  const int64_t depth = x[1] / product(std::vector<int64_t>(spatial, block));
  const std::vector<int64_t> blocks(spatial, block);
  Rearrangement r;
  r.split = {x[0]};
  if (depth_first) r.split.push_back(depth);
  r.split.insert(r.split.end(), blocks.begin(), blocks.end());
  if (!depth_first) r.split.push_back(depth);
  r.split.insert(r.split.end(), x.begin() + 2, x.end());

  const auto k = static_cast<int64_t>(spatial);
  r.order = {0, depth_first ? 1 : k + 1};
  r.result = {x[0], depth};
  for (int64_t i = 0; i < k; ++i) {
    r.order.push_back(k + 2 + i);
    r.order.push_back(depth_first ? i + 2 : i + 1);
    r.result.push_back(x[static_cast<size_t>(i) + 2] * block);
  }
  return r;
}

bool is_depth_to_space(const Rearrangement& r, int64_t block, bool depth_first) {
  const Shape& x = r.x.shape();
  if (block < 1 || x[1] % product(std::vector<int64_t>(x.size() - 2, block)) != 0) return false;
  const Rearrangement form = depth_to_space_form(x, block, depth_first);
  return form.split == r.split && form.order == r.order && form.result == r.result;
}

}  // namespace

bool fuse_depth_to_space(Rewriter& rw, Node* n) {
  const auto r = rearrangement(*n);
  if (!r || r->x.shape().size() < 3 || r->split.size() < 3) return false;
  for (const bool depth_first : {true, false}) {
    const int64_t block = r->split[depth_first ? 2 : 1];
    if (block < 2 || !is_depth_to_space(*r, block, depth_first)) continue;
    const char* mode = depth_first ? "depth_first" : "blocks_first";
    return rw.replace(n, rw.make("DepthToSpace", {r->x}, attributes({{"mode", mode}, {"block_size", block}})));
  }
  return false;
}

bool fuse_shuffle_channels(Rewriter& rw, Node* n) {
  const auto r = rearrangement(*n);
  if (!r) return false;
  const Shape& x = r->x.shape();
  if (x.size() != 4 || r->result != x || r->split.size() < 4) return false;
  const int64_t group = r->split[1];
  if (group < 1 || x[1] % group != 0) return false;
  const Shape flat{x[0], group, x[1] / group, x[2] * x[3]}, full{x[0], group, x[1] / group, x[2], x[3]};
  const bool is_flat = r->split == flat && r->order == std::vector<int64_t>{0, 2, 1, 3};
  const bool is_full = r->split == full && r->order == std::vector<int64_t>{0, 2, 1, 3, 4};
  if (!is_flat && !is_full) return false;
  return rw.replace(n, rw.make("ShuffleChannels", {r->x}, attributes({{"axis", 1}, {"group", group}})));
}

namespace {

bool transpose_to_reshape(Rewriter& rw, Node* n) {
  const Shape& x = n->input(0).shape();
  const auto order = transpose_order(*n);
  if (!order || !is_static(x)) return false;
  int64_t last = -1;
  for (int64_t o : *order) {
    if (x[static_cast<size_t>(o)] == 1) continue;
    if (o < last) return false;
    last = o;
  }
  std::vector<int64_t> pattern(x.size(), 0);
  bool moves_elements = false;
  for (size_t i = 0; i < x.size(); ++i) {
    if ((*order)[i] == static_cast<int64_t>(i)) continue;
    pattern[i] = x[static_cast<size_t>((*order)[i])];
    moves_elements |= pattern[i] != 1;
  }
  if (!moves_elements) return rw.eliminate(n->value(), n->input(0));
  return rw.replace(n, rw.visit(rw.reshape(n->input(0), pattern, true)));
}

constexpr RewriteRow kRearrangementFusions[] = {
    {{"Reshape"}, fuse_depth_to_space},
    {{"Reshape"}, fuse_shuffle_channels},
};
constexpr RewriteRow kTransposesToReshapes[] = {
    {{"Transpose"}, transpose_to_reshape},
};

}  // namespace

std::span<const RewriteRow> rearrangement_fusions() { return kRearrangementFusions; }
std::span<const RewriteRow> transposes_to_reshapes() { return kTransposesToReshapes; }

}  // namespace blobsmith::transforms
