// Multiplications and additions of constants behind a convolution go into its weights and biases
// (front-end spec §5.4 ConvFusions, §5.6 BiasFusions).
#include "core/release.hpp"
#include "transforms/conversion/predicates.hpp"
#include "transforms/conversion/rewrites.hpp"

namespace blobsmith::transforms {
namespace {

bool is_convolution(const Node& n) {
  return n.is("Convolution") || n.is("GroupConvolution") || n.is("ConvolutionBackpropData") ||
         n.is("GroupConvolutionBackpropData");
}

// [1, C, 1, ...] of the convolution's output.
Shape per_channel(const Node& conv) {
  Shape s(conv.shape().size(), 1);
  s[1] = conv.shape()[1];
  return s;
}

// The shape in which one factor per output channel multiplies the weights.
Shape weight_factor_shape(const Node& conv) {
  const Shape& w = conv.input(1).shape();
  const bool grouped = conv.is("GroupConvolution") || conv.is("GroupConvolutionBackpropData");
  const bool backprop = conv.is("ConvolutionBackpropData") || conv.is("GroupConvolutionBackpropData");
  Shape s(w.size(), 1);
  size_t axis = 0;
  if (grouped) s[axis++] = w[0];
  if (backprop) ++axis;
  s[axis] = w[axis];
  if (backprop && !grouped) s.erase(s.begin());
  return s;
}

bool fuse_multiply_into_convolution(Rewriter& rw, Node* n) {
  for (const auto& [x, factor] : either_order(n)) {
    // A deconvolution with a stated output shape has a third input and is not matched.
    if (!constant_of(factor) || !is_convolution(*x.node) || x.node->input_count() != 2 || !has_one_user(x)) continue;
    Node* conv = x.node;
    if (conv->shape().size() < 3 || !is_static(conv->input(1).shape()) || conv->shape()[1] < 0) continue;
    const bool in_place = conv->is("GroupConvolution") && rw.graph().release->group_weights_in_place;
    Value aligned = factor;
    if (element_count(factor.shape()) == 1) {
      if (factor.shape().size() > conv->shape().size()) continue;
      if (!factor.shape().empty() && !in_place) aligned = rw.reshape(factor, {1})->value();
    } else {
      if (!broadcasts_into(factor.shape(), per_channel(*conv))) continue;
      aligned = rw.reshape(factor, weight_factor_shape(*conv), true)->value();
    }
    Node* weights = rw.make("Multiply", {conv->input(1), aligned});
    if (in_place) {
      rw.set_input(conv, 1, weights->value());
      conv->name = n->name;
      return rw.redirect(n->value(), conv->value());
    }
    std::vector<Value> inputs = conv->inputs();
    inputs[1] = weights->value();
    return rw.replace(n, rw.make_like(conv, conv->type, inputs, conv->attrs, conv->version));
  }
  return false;
}

bool is_single_element(const Shape& s) { return element_count(s) == 1; }

// A factor of the input, [1, C, 1, ...] or less, with 1s in front up to `rank`.
Shape with_rank(Shape factor, size_t rank) {
  if (factor.size() < rank) factor.insert(factor.begin(), rank - factor.size(), 1);
  return factor;
}

bool only_channels_differ(const Shape& factor) {
  for (size_t i = 0; i < factor.size(); ++i)
    if (i != 1 && factor[i] != 1) return false;
  return true;
}

// The shape in which a factor of the input multiplies the weights; nothing where it can't.
std::optional<Shape> input_factor_shape(const Node& conv, const Shape& factor) {
  const Shape& weights = conv.input(1).shape();
  const auto checked = [&](const Shape& s) { return broadcasts_into(s, weights) ? std::optional(s) : std::nullopt; };
  if (conv.is("Convolution")) {
    // A first dimension would be the batch here and the output channels there.
    if (factor.size() == weights.size() && factor[0] != 1) return std::nullopt;
    return checked(factor);
  }
  if (is_single_element(factor)) return factor;
  const bool grouped = conv.is("GroupConvolution") || conv.is("GroupConvolutionBackpropData");
  const Shape full = with_rank(factor, weights.size() - (grouped ? 1 : 0));
  if (full.size() < 2 || full[0] != 1) return std::nullopt;
  if (!conv.is("GroupConvolution") && !only_channels_differ(full)) return std::nullopt;
  if (!grouped) {
    Shape s(full.size(), 1);
    s[0] = full[1];
    return checked(s);
  }
  const int64_t groups = full[1] > 1 ? weights[0] : 1;
  if (groups < 1 || full[1] % groups != 0) return std::nullopt;
  const bool backprop = conv.is("GroupConvolutionBackpropData");
  Shape s = backprop ? Shape{groups, full[1] / groups, 1} : Shape{groups, 1, full[1] / groups};
  for (size_t i = 2; i < full.size(); ++i) s.push_back(full[i]);
  return checked(s);
}

bool fuse_multiply_before_convolution(Rewriter& rw, Node* n) {
  Node* multiply = producer(n->input(0), "Multiply");
  if (!multiply || n->input_count() != 2 || !has_one_user(n->input(0)) || !is_static(n->input(1).shape()) ||
      dequantizes(*multiply))
    return false;
  for (const auto& [x, factor] : either_order(multiply)) {
    if (!constant_of(factor)) continue;
    const auto shape = input_factor_shape(*n, factor.shape());
    if (!shape) continue;
    const Value aligned = *shape == factor.shape() ? factor : rw.reshape(factor, *shape)->value();
    const Value weights = rw.computed(rw.make("Multiply", {n->input(1), aligned}));
    return rw.replace(n, rw.make_like(n, n->type, {x, weights}, n->attrs, n->version));
  }
  return false;
}

bool fuse_add_into_convolution(Rewriter& rw, Node* n) {
  for (const auto& [x, addend] : either_order(n)) {
    Node* conv = x.node;
    if (!constant_of(addend) || !(conv->is("ConvolutionIE") || conv->is("DeconvolutionIE")) || !has_one_user(x))
      continue;
    const Shape channels = per_channel(*conv);
    if (!broadcasts_into(addend.shape(), channels)) continue;
    Value bias = addend;
    if (element_count(addend.shape()) == 1) {
      const Value target = rw.indices(channels);
      bias = rw.make("Broadcast", {bias, target}, attributes({{"mode", "numpy"}}), 3)->value();
    }
    if (bias.shape().size() > 1) bias = rw.reshape(bias, {channels[1]}, true)->value();
    std::vector<Value> inputs = conv->inputs();
    if (inputs.size() < 3)
      inputs.push_back(bias);
    else
      inputs[2] = rw.make("Add", {bias, inputs[2]})->value();
    return rw.replace(n, rw.make_like(conv, conv->type, inputs, conv->attrs));
  }
  return false;
}

constexpr RewriteRow kMultiplicationsIntoConvolutions[] = {
    {{"Multiply"}, fuse_multiply_into_convolution},
};
constexpr RewriteRow kMultiplicationsBeforeConvolutions[] = {
    {{"Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData"},
     fuse_multiply_before_convolution},
};
constexpr RewriteRow kBiasesIntoConvolutions[] = {
    {{"Add"}, fuse_add_into_convolution},
};

}  // namespace

std::span<const RewriteRow> multiplications_into_convolutions() { return kMultiplicationsIntoConvolutions; }
std::span<const RewriteRow> multiplications_before_convolutions() { return kMultiplicationsBeforeConvolutions; }
std::span<const RewriteRow> biases_into_convolutions() { return kBiasesIntoConvolutions; }

}  // namespace blobsmith::transforms
