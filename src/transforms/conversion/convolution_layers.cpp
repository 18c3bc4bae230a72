// Convolutions with weights as [outputs, inputs, kernel], transposed ones as [inputs, outputs, kernel], groups as an
// attribute; 1-D convolutions and poolings become 2-D (front-end spec §5.6).
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

// Group weights without their first axis: what an inner Reshape had, or a new Reshape.
Value merge_groups(Rewriter& rw, Value weights, const Shape& merged) {
  if (Node* reshape = producer(weights, "Reshape"); reshape && reshape->input(0).shape() == merged)
    return reshape->input(0);
  return rw.reshape(weights, merged, true)->value();
}

bool to_legacy(Rewriter& rw, Node* n, const char* type, Value weights, int64_t group) {
  Attributes attrs = n->attrs;
  attrs.set("group", group);
  return rw.replace(n, rw.make_like(n, type, {n->input(0), weights}, attrs));
}

bool convolution_to_legacy(Rewriter& rw, Node* n) {
  const Value w = n->input(1);
  if (!n->is("GroupConvolution")) return to_legacy(rw, n, "ConvolutionIE", w, 1);
  Shape merged = w.shape();
  const int64_t group = merged[0];
  merged.erase(merged.begin());
  merged[0] *= group;
  return to_legacy(rw, n, "ConvolutionIE", merge_groups(rw, w, merged), group);
}

bool deconvolution_to_legacy(Rewriter& rw, Node* n) {
  const Value w = n->input(1);
  // Pads are those of shape inference; with a stated output shape they need not lead to it.
  n->attrs.set("auto_pad", "explicit");
  n->attrs.set("output_shape", std::vector<int64_t>(n->shape().begin() + 2, n->shape().end()));
  if (!n->is("GroupConvolutionBackpropData")) return to_legacy(rw, n, "DeconvolutionIE", w, 1);
  // A plain reshape: [groups, inputs, outputs, kernel] -> [inputs, groups · outputs, kernel].
  Shape merged = w.shape();
  const int64_t group = merged[0];
  merged.erase(merged.begin());
  merged[1] *= group;
  return to_legacy(rw, n, "DeconvolutionIE", rw.reshape(w, merged, true)->value(), group);
}

Shape with_height(Shape s) {
  s.insert(s.end() - 1, 1);
  return s;
}

// Window attributes of one axis, with the height's in front.
Attributes two_dimensional(const Attributes& attrs) {
  Attributes r = attrs;
  for (const auto& [name, neutral] : std::initializer_list<std::pair<const char*, int64_t>>{
           {"kernel", 1}, {"strides", 1}, {"dilations", 1}, {"pads_begin", 0}, {"pads_end", 0}, {"output_padding", 0}})
    if (auto list = r.get_or<std::vector<int64_t>>(name, {}); !list.empty()) {
      list.insert(list.begin(), neutral);
      r.set(name, list);
    }
  return r;
}

bool raise_1d_operation(Rewriter& rw, Node* n) {
  if (n->shape().size() != 3) return false;
  Node* begin = rw.reshape(n->input(0), with_height(n->input(0).shape()), true);
  begin->name = n->name + "/reshape_begin";
  std::vector<Value> inputs = n->inputs();
  inputs[0] = begin->value();
  if (inputs.size() > 1) inputs[1] = rw.reshape(inputs[1], with_height(inputs[1].shape()), true)->value();
  Node* raised = rw.add(n->type, inputs, n->version, n->name + "/new");
  raised->attrs = two_dimensional(n->attrs);
  rw.graph().set_outputs(raised, {{n->element_type(), with_height(n->shape())}});
  return rw.replace(n, rw.reshape(raised->value(), n->shape(), true));
}

constexpr RewriteRow kConvolutionsToLegacy[] = {
    {{"Convolution", "GroupConvolution"}, convolution_to_legacy},
    {{"ConvolutionBackpropData", "GroupConvolutionBackpropData"}, deconvolution_to_legacy},
};
constexpr RewriteRow kOperationsOfRank1[] = {
    {{"ConvolutionIE", "AvgPool", "MaxPool"}, raise_1d_operation},
};

}  // namespace

std::span<const RewriteRow> convolutions_to_legacy() { return kConvolutionsToLegacy; }
std::span<const RewriteRow> operations_of_rank_1() { return kOperationsOfRank1; }

}  // namespace blobsmith::transforms
