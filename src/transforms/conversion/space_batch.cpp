// SpaceToBatch and BatchToSpace: around a convolution they are a dilation; otherwise each block axis becomes
// Reshape-Transpose-Reshape (front-end spec §5.4, §5.5).
#include <algorithm>

#include "transforms/conversion/rewrites.hpp"
#include "transforms/dynamic/shapes.hpp"

namespace blobsmith::transforms {
namespace {

struct Blocks {
  std::vector<int64_t> block, begin, end;
};

std::optional<Blocks> constant_blocks(const Node& n) {
  const Tensor* parts[3];
  for (int i = 0; i < 3; ++i)
    if (!(parts[i] = constant_of(n.input(i + 1)))) return std::nullopt;
  Blocks b{parts[0]->to_i64(), parts[1]->to_i64(), parts[2]->to_i64()};
  const size_t rank = n.input(0).shape().size();
  const bool positive = std::ranges::all_of(b.block, [](int64_t v) { return v > 0; });
  if (b.block.size() != rank || b.begin.size() != rank || b.end.size() != rank || !positive) return std::nullopt;
  return b;
}

bool fuse_dilated_convolution(Rewriter& rw, Node* n) {  // BatchToSpace(Convolution(SpaceToBatch(x)))
  Node* conv = producer(n->input(0), "Convolution");
  Node* to_batch = conv && has_one_user(n->input(0)) ? producer(conv->input(0), "SpaceToBatch") : nullptr;
  if (!to_batch || !has_one_user(conv->input(0))) return false;
  const auto pad = constant_blocks(*to_batch), crop = constant_blocks(*n);
  if (!pad || !crop || pad->block != crop->block || pad->block[0] != 1 || pad->block[1] != 1) return false;
  Attributes attrs = conv->attrs;
  const auto all_of_value = [](const std::vector<int64_t>& v, int64_t x) {
    return std::ranges::all_of(v, [x](int64_t e) { return e == x; });
  };
  if (!all_of_value(attrs.integers("strides"), 1) || !all_of_value(attrs.integers("pads_begin"), 0) ||
      !all_of_value(attrs.integers("pads_end"), 0))
    return false;
  std::vector<int64_t> begin, end;
  for (size_t i = 2; i < pad->block.size(); ++i) {
    begin.push_back(pad->begin[i] - crop->begin[i]);
    end.push_back(pad->end[i] - crop->end[i]);
  }
  const auto negative = [](int64_t v) { return v < 0; };
  if (std::ranges::any_of(begin, negative) || std::ranges::any_of(end, negative)) return false;
  attrs.set("dilations", std::vector<int64_t>(pad->block.begin() + 2, pad->block.end()));
  attrs.set("pads_begin", begin);
  attrs.set("pads_end", end);
  attrs.set("auto_pad", "explicit");
  return rw.replace(n, rw.make("Convolution", {to_batch->input(0), conv->input(1)}, attrs, conv->version));
}

// One block axis after the other, from the last: the block moves in front and joins the batch.
bool decompose_space_to_batch(Rewriter& rw, Node* n) {
  const auto b = constant_blocks(*n);
  if (!b || !is_static(n->input(0).shape())) return false;
  const Value zero = rw.scalar(n->element_type(), 0);
  Value x =
      rw.make("Pad", {n->input(0), n->input(2), n->input(3), zero}, attributes({{"pad_mode", "constant"}}))->value();
  Shape whole = x.shape();
  const size_t rank = whole.size();
  for (size_t axis = rank; axis-- > 0;) {
    Shape split = whole;
    split[axis] /= b->block[axis];
    split.insert(split.begin() + static_cast<int64_t>(axis) + 1, b->block[axis]);
    std::vector<int64_t> order{static_cast<int64_t>(axis) + 1};
    for (size_t i = 0; i <= rank; ++i)
      if (i != axis + 1) order.push_back(static_cast<int64_t>(i));
    whole[0] *= b->block[axis];
    whole[axis] /= b->block[axis];
    x = rw.reshape(x, split)->value();
    x = rw.transpose(x, order)->value();
    x = rw.reshape(x, whole)->value();
  }
  return rw.replace(n, x.node);
}

// The reverse, from axis 1 on: the block leaves the batch and joins its axis.
bool decompose_batch_to_space(Rewriter& rw, Node* n) {
  const auto b = constant_blocks(*n);
  if (!b || !is_static(n->input(0).shape())) return false;
  Value x = n->input(0);
  Shape whole = x.shape();
  const size_t rank = whole.size();
  for (size_t axis = 1; axis < rank; ++axis) {
    Shape split = whole;
    split[0] /= b->block[axis];
    split.insert(split.begin(), b->block[axis]);
    std::vector<int64_t> order;
    for (size_t i = 1; i <= rank; ++i) order.push_back(static_cast<int64_t>(i));
    order.insert(order.begin() + static_cast<int64_t>(axis) + 1, 0);
    whole[0] /= b->block[axis];
    whole[axis] *= b->block[axis];
    x = rw.reshape(x, split)->value();
    x = rw.transpose(x, order)->value();
    x = rw.reshape(x, whole)->value();
  }
  std::vector<int64_t> upper;
  for (size_t i = 0; i < rank; ++i) upper.push_back(whole[i] - b->end[i]);
  const Value begin = n->input(2), end = dynamic::integers(rw, n->input(3).type(), upper),
              ones = rw.indices(std::vector<int64_t>(rank, 1));
  const std::vector<int64_t> no_mask(rank, 0);
  return rw.replace(
      n, rw.make("StridedSlice", {x, begin, end, ones}, attributes({{"begin_mask", no_mask}, {"end_mask", no_mask}})));
}

constexpr RewriteRow kDilationFusions[] = {
    {{"BatchToSpace"}, fuse_dilated_convolution},
};
constexpr RewriteRow kSpaceToBatchDecomposition[] = {
    {{"SpaceToBatch"}, decompose_space_to_batch, "PadIE Reshape Transpose"},
};
constexpr RewriteRow kBatchToSpaceDecomposition[] = {
    {{"BatchToSpace"}, decompose_batch_to_space, "Reshape Transpose CropIE"},
};

}  // namespace

std::span<const RewriteRow> dilation_fusions() { return kDilationFusions; }
std::span<const RewriteRow> space_to_batch_decomposition() { return kSpaceToBatchDecomposition; }
std::span<const RewriteRow> batch_to_space_decomposition() { return kBatchToSpaceDecomposition; }

}  // namespace blobsmith::transforms
