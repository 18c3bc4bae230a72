// SpaceToBatch, a convolution without padding, BatchToSpace: how TensorFlow spells a dilated convolution
// (model-optimizer spec §5.1). With the block b, pads p and crops c it is one with dilations b and pads p - c.
#include <algorithm>

#include "importers/model_optimizer/layout.hpp"
#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

/// What lies between the two, outermost last; nothing where it isn't one convolution between changes of order and rank.
struct Inner {
  Node* convolution = nullptr;
  Node *transpose_before = nullptr, *transpose_behind = nullptr;
  Node *unsqueeze = nullptr, *squeeze = nullptr;  ///< of one dimension: another one is put in front of it
};

Node* only_producer(Value v, std::string_view type) {
  return transforms::has_one_user(v) ? transforms::producer(v, type) : nullptr;
}

std::optional<Inner> inner_of(const Node* batch_to_space) {
  Inner in;
  Value v = batch_to_space->input(0);
  if ((in.squeeze = only_producer(v, "Squeeze"))) v = in.squeeze->input(0);
  if ((in.transpose_behind = only_producer(v, "Transpose"))) v = in.transpose_behind->input(0);
  in.convolution = only_producer(v, "Convolution");
  if (!in.convolution) in.convolution = only_producer(v, "GroupConvolution");
  if (!in.convolution) return std::nullopt;
  v = in.convolution->input(0);
  if ((in.transpose_before = only_producer(v, "Transpose"))) v = in.transpose_before->input(0);
  if ((in.unsqueeze = only_producer(v, "Unsqueeze"))) v = in.unsqueeze->input(0);
  const auto between = [](const Node* t) { return t && t->attrs.flag(kLayoutTranspose); };
  if (between(in.transpose_before) != between(in.transpose_behind)) return std::nullopt;
  if (!in.unsqueeze != !in.squeeze) return std::nullopt;
  return in;
}

std::optional<std::vector<int64_t>> integers(Value v) {
  const Tensor* t = transforms::constant_of(v);
  return t ? std::optional(t->to_i64()) : std::nullopt;
}

}  // namespace

bool fuse_dilated_convolution(Rewriter& rw, Node* n) {
  const auto in = inner_of(n);
  if (!in) return false;
  Node* first = in->unsqueeze ? in->unsqueeze : in->transpose_before ? in->transpose_before : in->convolution;
  Node* space_to_batch = only_producer(first->input(0), "SpaceToBatch");
  if (!space_to_batch) return false;
  Node* conv = in->convolution;
  const auto block = integers(space_to_batch->input(1)), pads_begin = integers(space_to_batch->input(2)),
             pads_end = integers(space_to_batch->input(3)), same_block = integers(n->input(1)),
             crops_begin = integers(n->input(2)), crops_end = integers(n->input(3));
  if (!block || !pads_begin || !pads_end || block != same_block || !crops_begin || !crops_end) return false;
  const auto is_one = [](int64_t v) { return v == 1; };
  if (conv->attrs.text("auto_pad", "explicit") != "valid" ||
      !std::ranges::all_of(conv->attrs.integers("strides"), is_one) ||
      !std::ranges::all_of(conv->attrs.integers("dilations"), is_one))
    return false;
  // Axes of the planes, which are the last ones of the convolution.
  const size_t planes = conv->attrs.integers("strides").size(), rank = block->size();
  const bool channels_last = in->transpose_before != nullptr;
  std::vector<int64_t> dilations(planes, 1), begin(planes, 0), end(planes, 0);
  for (size_t i = 0; i < rank; ++i) {
    const int64_t b = (*block)[i], from = (*pads_begin)[i] - (*crops_begin)[i], to = (*pads_end)[i] - (*crops_end)[i];
    const size_t first_plane = channels_last ? 1 : 2, count = rank - 2;
    if (i < first_plane || i >= first_plane + count) {
      if (b != 1 || from != 0 || to != 0) return false;
      continue;
    }
    if (from < 0 || to < 0 || b < 1) return false;
    // Of one dimension: the axis that was put in comes first.
    const size_t at = i - first_plane + (planes - count);
    dilations[at] = b;
    begin[at] = from;
    end[at] = to;
  }
  if (in->unsqueeze) {
    const auto axis = integers(in->unsqueeze->input(1));
    if (!axis || axis->size() != 1 || (*axis)[0] != (channels_last ? 1 : 2)) return false;
  }
  conv->attrs.set("dilations", dilations);
  conv->attrs.set("pads_begin", begin);
  conv->attrs.set("pads_end", end);
  conv->attrs.set("auto_pad", std::string("explicit"));
  const Value x = space_to_batch->input(0);
  rw.set_input(first, 0, x);
  for (Node* step : {in->unsqueeze, in->transpose_before, conv, in->transpose_behind, in->squeeze})
    if (step) infer(rw.graph(), step);
  return rw.redirect(n->value(), n->input(0));
}

}  // namespace blobsmith::model_optimizer
