// Blocks and channels: DepthToSpace, SpaceToBatch, ShuffleChannels, ReorgYolo, Reverse, Roll … (front-end spec
// §15.1).
#include <algorithm>

#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kDepth[] = {{"block_size", Integer, "1"},
                                    {"mode", Choice, kMandatory, "blocks_first|depth_first"}};
constexpr AttributeSpec kShuffle[] = {{"axis", Integer, "1"}, {"group", Integer, "1"}};
constexpr AttributeSpec kReorg[] = {{"stride", Integer, kMandatory}};
constexpr AttributeSpec kReverse[] = {{"mode", Choice, kMandatory, "index|mask"}};
constexpr AttributeSpec kReverseSequence[] = {{"batch_axis", Integer, "0"}, {"seq_axis", Integer, "1"}};
constexpr AttributeSpec kPatches[] = {{"sizes", Integers, kMandatory},
                                      {"strides", Integers, kMandatory},
                                      {"rates", Integers, kMandatory},
                                      {"auto_pad", Choice, kMandatory, "valid|same_upper|same_lower"}};

int64_t block_size(const Inference& in) {
  const int64_t b = in.attrs().integer("block_size");
  if (b <= 0 || b > 1 << 20) in.fail("The block size must be positive");
  if (in.rank() < 3)
    in.fail("The input tensor with rank lower than 3 is not supported (input rank: " + std::to_string(in.rank()) + ")");
  return b;
}

int64_t exact_quotient(const Inference& in, int64_t size, int64_t by) {
  if (size == kDynamic) return kDynamic;
  if (by <= 0 || size % by != 0)
    in.fail("A dimension of " + std::to_string(size) + " elements can't be divided by " + std::to_string(by));
  return size / by;
}

void infer_depth_to_space(Inference& in) {
  const int64_t b = block_size(in);
  Shape out = in.shape();
  for (size_t i = 2; i < out.size(); ++i) {
    out[1] = exact_quotient(in, out[1], b);
    out[i] = multiply_dims(out[i], b);
  }
  in.output(in.type(), std::move(out));
}

void infer_space_to_depth(Inference& in) {
  const int64_t b = block_size(in);
  Shape out = in.shape();
  for (size_t i = 2; i < out.size(); ++i) {
    out[1] = multiply_dims(out[1], b);
    out[i] = exact_quotient(in, out[i], b);
  }
  in.output(in.type(), std::move(out));
}

std::vector<Tensor> evaluate_depth_to_space(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Shape& out = n.shape();
  const size_t k = out.size() - 2;
  const int64_t b = n.attrs.integer("block_size");
  const bool blocks_first = n.attrs.text("mode") == "blocks_first";
  // [N, b…, C, sp…] or [N, C, b…, sp…]; wanted: N, C, then each spatial axis followed by its block.
  Shape split{out[0]};
  if (!blocks_first) split.push_back(out[1]);
  split.insert(split.end(), k, b);
  if (blocks_first) split.push_back(out[1]);
  for (size_t i = 0; i < k; ++i) split.push_back(out[i + 2] / b);
  std::vector<size_t> order{0, blocks_first ? k + 1 : 1};
  for (size_t i = 0; i < k; ++i) order.insert(order.end(), {k + 2 + i, (blocks_first ? 1 : 2) + i});
  return {permuted(*inputs[0], split, order, out)};
}

std::vector<Tensor> evaluate_space_to_depth(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Shape &in = inputs[0]->shape, &out = n.shape();
  const size_t k = in.size() - 2;
  const int64_t b = n.attrs.integer("block_size");
  // [N, C, sp/b, b, …]; wanted: N, blocks and C in the order of the mode, then the spatial axes.
  Shape split{in[0], in[1]};
  for (size_t i = 0; i < k; ++i) split.insert(split.end(), {in[i + 2] / b, b});
  std::vector<size_t> order{0};
  if (n.attrs.text("mode") == "depth_first") order.push_back(1);
  for (size_t i = 0; i < k; ++i) order.push_back(3 + 2 * i);
  if (n.attrs.text("mode") == "blocks_first") order.push_back(1);
  for (size_t i = 0; i < k; ++i) order.push_back(2 + 2 * i);
  return {permuted(*inputs[0], split, order, out)};
}

// SpaceToBatch pads, then moves blocks into the batch; BatchToSpace is its inverse.
struct Blocks {
  std::vector<int64_t> block, begin, end;
};
Blocks read_blocks(const Inference& in) {
  Blocks b{in.constant_values(1, "block shape"), in.constant_values(2, "begins"), in.constant_values(3, "ends")};
  for (const auto* list : {&b.block, &b.begin, &b.end})
    if (list->size() != in.shape().size()) in.fail("Block shape, begins and ends must have one value per axis");
  for (size_t i = 0; i < b.block.size(); ++i) {
    in.require(b.block[i] > 0 && b.block[i] < 1 << 30, "block_shape values must be greater than 0");
    in.require(b.begin[i] >= 0 && b.end[i] >= 0 && b.begin[i] < 1 << 30 && b.end[i] < 1 << 30,
               "begins and ends must not be negative");
  }
  return b;
}

void infer_space_to_batch(Inference& in) {
  const Blocks b = read_blocks(in);
  Shape out = in.shape();
  for (size_t i = 0; i < out.size(); ++i) {
    if (i) out[0] = multiply_dims(out[0], b.block[i]);
    out[i] = i == 0 ? out[0] : exact_quotient(in, add_dims(out[i], b.begin[i] + b.end[i]), b.block[i]);
  }
  in.output(in.type(), std::move(out));
}

void infer_batch_to_space(Inference& in) {
  const Blocks b = read_blocks(in);
  Shape out = in.shape();
  for (size_t i = 1; i < out.size(); ++i) {
    out[0] = exact_quotient(in, out[0], b.block[i]);
    const int64_t whole = multiply_dims(out[i], b.block[i]), crops = b.begin[i] + b.end[i];
    in.require(whole == kDynamic || whole >= crops, "The crops are larger than the axis");
    out[i] = whole == kDynamic ? kDynamic : whole - crops;
  }
  in.output(in.type(), std::move(out));
}

void infer_shuffle_channels(Inference& in) {
  const int64_t axis = in.axis(in.attrs().integer("axis"), in.rank());
  exact_quotient(in, in.dim(0, axis), in.attrs().integer("group"));
  infer_like_input(in);
}

std::vector<Tensor> evaluate_shuffle_channels(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Shape& s = n.shape();
  const int64_t axis = from_front(n.attrs.integer("axis"), s.size());
  const int64_t group = n.attrs.integer("group"), rank = static_cast<int64_t>(s.size());
  const Shape split{product(s, 0, axis), group, s[static_cast<size_t>(axis)] / group, product(s, axis + 1, rank)};
  return {permuted(*inputs[0], split, {0, 2, 1, 3}, s)};
}

void infer_reorg_yolo(Inference& in) {
  const int64_t s = in.attrs().integer("stride");
  if (s <= 0 || s > 1 << 20) in.fail("Stride attribute is required.");
  if (in.rank() != 4) in.fail("[N, C, H, W] input shape is required.");
  if (in.dim(0, 1) != kDynamic && in.dim(0, 1) < s * s)
    in.fail("For [N, C, H, W] input shape, C >= (stride*stride) is required.");
  in.output(in.type(), {in.dim(0, 0), multiply_dims(in.dim(0, 1), s * s), exact_quotient(in, in.dim(0, 2), s),
                        exact_quotient(in, in.dim(0, 3), s)});
}

void infer_reverse(Inference& in) {
  if (const auto axes = in.values(1); axes && in.attrs().text("mode") == "index") in.axes(*axes, in.rank());
  infer_like_input(in);
}

void infer_reverse_sequence(Inference& in) {
  const int64_t batch = in.axis(in.attrs().integer("batch_axis"), in.rank());
  in.axis(in.attrs().integer("seq_axis"), in.rank());
  if (in.rank(1) != 1 || !merge_dims(in.dim(1, 0), in.dim(0, batch)))
    in.fail("Sequence lengths must be a vector with one value per batch");
  infer_like_input(in);
}

// Axis i of the output is taken backwards.
std::vector<Tensor> evaluate_reverse(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Shape& s = n.shape();
  std::vector<int64_t> strides = dense_strides(s);
  const std::vector<int64_t> list = inputs[1]->to_i64();
  const bool mask = n.attrs.text("mode") == "mask";
  int64_t offset = 0;
  for (size_t i = 0; i < s.size(); ++i) {
    const auto axis = static_cast<int64_t>(i);
    const bool reversed = mask ? i < list.size() && list[i] != 0 : std::ranges::find(list, axis) != list.end();
    if (!reversed) continue;
    offset += strides[i] * std::max<int64_t>(s[i] - 1, 0);
    strides[i] = -strides[i];
  }
  return {gather_strided(*inputs[0], s, offset, strides)};
}

void infer_patches(Inference& in) {
  if (in.rank() != 4) in.fail("input tensor must be 4D tensor.");
  const auto &sizes = in.attrs().integers("sizes"), &strides = in.attrs().integers("strides"),
             &rates = in.attrs().integers("rates");
  if (sizes.size() != 2 || strides.size() != 2 || rates.size() != 2)
    in.fail("sizes, strides and rates must have two values");
  Shape out{in.dim(0, 0), multiply_dims(in.dim(0, 1), multiply_dims(sizes[0], sizes[1]))};
  for (size_t i = 0; i < 2; ++i) {
    in.require(sizes[i] > 0 && strides[i] > 0 && rates[i] > 0, "sizes, strides and rates must be positive");
    const int64_t d = in.shape()[i + 2], reach = sizes[i] + (sizes[i] - 1) * (rates[i] - 1);
    if (d == kDynamic)
      out.push_back(kDynamic);
    else if (in.attrs().text("auto_pad") != "valid")
      out.push_back(div_up(d, strides[i]));
    else
      out.push_back(d < reach ? 0 : (d - reach) / strides[i] + 1);
  }
  in.output(in.type(), std::move(out));
}

constexpr OpRow kOps[] = {
    {"DepthToSpace", 0, {1, 7}, 1, 1, kDepth, infer_depth_to_space, evaluate_depth_to_space},
    {"SpaceToDepth", 0, {1, 7}, 1, 1, kDepth, infer_space_to_depth, evaluate_space_to_depth},
    {"SpaceToBatch", 0, {2, 7}, 4, 4, {}, infer_space_to_batch},
    {"BatchToSpace", 0, {2, 7}, 4, 4, {}, infer_batch_to_space},
    {"ShuffleChannels", 0, {1, 7}, 1, 1, kShuffle, infer_shuffle_channels, evaluate_shuffle_channels},
    {"ReorgYolo", 0, {1, 7}, 1, 1, kReorg, infer_reorg_yolo},
    {"Reverse", 0, {1, 3}, 2, 2, kReverse, infer_reverse, evaluate_reverse},
    {"ReverseSequence", 0, {1, 7}, 2, 2, kReverseSequence, infer_reverse_sequence},
    {"Roll", 0, {7, 7}, 3, 3, {}, infer_like_input},
    {"ExtractImagePatches", 0, {3, 7}, 1, 1, kPatches, infer_patches},
};

}  // namespace

std::span<const OpRow> rearrange_ops() { return kOps; }

}  // namespace blobsmith::ops
