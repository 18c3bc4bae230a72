// Split, equal convolutions, Concat: one grouped convolution (model-optimizer spec §6.4).
#include <algorithm>
#include <cstring>

#include "importers/model_optimizer/rewrites.hpp"

namespace blobsmith::model_optimizer {
namespace {

/// The convolutions between the outputs of one Split, all used in order, and the Concat.
std::vector<Node*> branches(const Node* concat) {
  std::vector<Node*> r;
  for (const Value& v : concat->inputs()) {
    Node* conv = transforms::producer(v, "Convolution");
    if (!conv || !transforms::has_one_user(v) || !transforms::constant_of(conv->input(1))) return {};
    r.push_back(conv);
  }
  return r;
}

bool is_alike(const Node* a, const Node* b) {
  const Tensor &x = a->input(1).node->constant, &y = b->input(1).node->constant;
  const auto same = [&](const char* name) { return a->attrs.integers(name) == b->attrs.integers(name); };
  return x.shape == y.shape && x.type == y.type && same("strides") && same("pads_begin") && same("pads_end") &&
         same("dilations") && a->attrs.text("auto_pad", "") == b->attrs.text("auto_pad", "");
}

bool splits_channels(const Node* split, size_t parts) {
  if (!split->is("Split") && !split->is("VariadicSplit")) return false;
  const Tensor* axis = transforms::constant_of(split->input(1));
  const auto count = static_cast<int>(parts);
  if (!axis || axis->to_i64() != std::vector<int64_t>{1} || split->output_count() != count) return false;
  for (int i = 0; i < count; ++i)
    if (split->output(i).uses.size() != 1 || split->shape(i) != split->shape(0)) return false;
  return true;
}

Tensor stacked_weights(const std::vector<Node*>& convolutions) {
  const Tensor& first = convolutions[0]->input(1).node->constant;
  std::vector<uint8_t> bytes;
  for (const Node* c : convolutions) {
    const Bytes& part = c->input(1).node->constant.bytes;
    bytes.insert(bytes.end(), part.data(), part.data() + part.size());
  }
  Shape shape = first.shape;
  shape.insert(shape.begin(), static_cast<int64_t>(convolutions.size()));
  return {first.type, std::move(shape), Bytes::adopt(std::move(bytes)).aligned(8)};
}

}  // namespace

bool fuse_grouped_convolution(Rewriter& rw, Node* n) {
  const std::vector<Node*> convolutions = branches(n);
  if (convolutions.size() < 2 || n->attrs.integer("axis") != 1) return false;
  Node* split = convolutions[0]->input(0).node;
  if (!splits_channels(split, convolutions.size())) return false;
  for (size_t i = 0; i < convolutions.size(); ++i)
    if (convolutions[i]->input(0) != split->value(static_cast<int>(i)) || !is_alike(convolutions[0], convolutions[i]))
      return false;
  const Value weights = rw.constant(stacked_weights(convolutions));
  Node* grouped =
      rw.make_like(n, "GroupConvolution", {split->input(0), weights}, convolutions[0]->attrs, convolutions[0]->version);
  grouped->name = convolutions[0]->name;
  grouped->source = n->source;
  return rw.redirect(n->value(), grouped->value());
}

}  // namespace blobsmith::model_optimizer
