// DepthToSpace, SpaceToDepth and ShuffleChannels as Reshape-Transpose-Reshape; only the last one keeps the name
// (front-end spec §5.4, §5.5).
#include "graph/numbering.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool rearrange(Rewriter& rw, Node* n, const Shape& split, const std::vector<int64_t>& order) {
  Node* first = rw.reshape(n->input(0), split, true);
  Node* transpose = rw.transpose(first->value(), order);
  return rw.replace(n, rw.reshape(transpose->value(), n->shape(), true));
}

struct BlockForm {
  Shape shape;
  size_t spatial = 0;
  int64_t block = 1;
  bool depth_first = false;
};

std::optional<BlockForm> block_form(const Node& n) {
  BlockForm f{n.input(0).shape(), 0, n.attrs.integer("block_size", 1), n.attrs.text("mode", "") == "depth_first"};
  if (!is_static(f.shape) || f.shape.size() < 3 || f.block < 1) return std::nullopt;
  f.spatial = f.shape.size() - 2;
  return f;
}

bool decompose_depth_to_space(Rewriter& rw, Node* n) {
  const auto f = block_form(*n);
  if (!f) return false;
  const std::vector<int64_t> blocks(f->spatial, f->block);
  const int64_t depth = f->shape[1] / product(blocks);
  Shape split{f->shape[0]};
  if (f->depth_first) split.push_back(depth);
  split.insert(split.end(), blocks.begin(), blocks.end());
  if (!f->depth_first) split.push_back(depth);
  split.insert(split.end(), f->shape.begin() + 2, f->shape.end());
  const auto k = static_cast<int64_t>(f->spatial);
  std::vector<int64_t> order{0, f->depth_first ? 1 : k + 1};
  for (int64_t i = 0; i < k; ++i) {
    order.push_back(k + 2 + i);
    order.push_back(f->depth_first ? i + 2 : i + 1);
  }
  return rearrange(rw, n, split, order);
}

bool decompose_space_to_depth(Rewriter& rw, Node* n) {
  const auto f = block_form(*n);
  if (!f) return false;
  Shape split{f->shape[0], f->shape[1]};
  std::vector<int64_t> order{0};
  if (f->depth_first) order.push_back(1);
  for (size_t i = 0; i < f->spatial; ++i) {
    split.push_back(f->shape[i + 2] / f->block);
    split.push_back(f->block);
    order.push_back(static_cast<int64_t>(2 * i + 3));
  }
  if (!f->depth_first) order.push_back(1);
  for (size_t i = 0; i < f->spatial; ++i) order.push_back(static_cast<int64_t>(2 * i + 2));
  return rearrange(rw, n, split, order);
}

bool decompose_shuffle_channels(Rewriter& rw, Node* n) {
  constexpr int64_t kIdsBefore = 7, kIdsBetween = 28,
                    kIdsAfter = 1;  // quirk: the reference computes the shapes by nodes
  const Shape& x = n->input(0).shape();
  if (!is_static(x)) return false;
  const size_t axis = axis_from_front(n->attrs.integer("axis", 1), x.size());
  const int64_t group = n->attrs.integer("group", 1);
  const std::span<const int64_t> all(x);
  Shape split;
  std::vector<int64_t> order;
  const auto append = [&](int64_t dim) {
    split.push_back(dim);
    order.push_back(static_cast<int64_t>(order.size()));
  };
  if (axis > 0) append(product(all.first(axis)));
  const size_t at = order.size();
  append(group);
  append(x[axis] / std::max<int64_t>(group, 1));
  std::swap(order[at], order[at + 1]);
  if (axis + 1 < x.size()) append(product(all.subspan(axis + 1)));
  numbering::skip(rw.graph(), kIdsBefore);
  Node* first = rw.reshape(n->input(0), split);
  numbering::skip(rw.graph(), kIdsBetween);
  Node* transpose = rw.transpose(first->value(), order);
  Node* last = rw.reshape(transpose->value(), n->shape());
  numbering::skip(rw.graph(), kIdsAfter);
  return rw.replace(n, last);
}

constexpr RewriteRow kDepthAndSpaceDecompositions[] = {
    {{"DepthToSpace"}, decompose_depth_to_space, "Reshape Transpose"},
    {{"SpaceToDepth"}, decompose_space_to_depth, "Reshape Transpose"},
};
constexpr RewriteRow kShuffleChannelsDecomposition[] = {
    {{"ShuffleChannels"}, decompose_shuffle_channels, "Reshape Transpose"},
};

}  // namespace

std::span<const RewriteRow> depth_and_space_decompositions() { return kDepthAndSpaceDecompositions; }
std::span<const RewriteRow> shuffle_channels_decomposition() { return kShuffleChannelsDecomposition; }

}  // namespace blobsmith::transforms
