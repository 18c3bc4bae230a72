// Convolutions: weights of TensorFlow have their windows in front.
#include <algorithm>

#include "importers/tensorflow/operators.hpp"
#include "importers/tensorflow/window.hpp"

namespace blobsmith::tensorflow_import {
namespace {

/// The weights with another order of axes, under their own name.
Value reordered(Context& c, Value w, std::vector<int64_t> order) {
  const std::string weights_name = w.node->name;
  const Value r = c.transpose(w, std::move(order), "/weights_transpose");
  if (r.node->is_constant()) r.node->name = weights_name;
  return r;
}

Value reshaped(Context& c, Value w, std::vector<int64_t> shape) {
  const std::string weights_name = w.node->name;
  const Value r = c.reshape(w, std::move(shape), "/weights_reshape");
  if (r.node->is_constant()) r.node->name = weights_name;
  return r;
}

Attributes attributes_of(const Window& w) {
  return attributes({{"strides", w.strides},
                     {"dilations", w.dilations},
                     {"pads_begin", w.pads_begin},
                     {"pads_end", w.pads_end},
                     {"auto_pad", w.auto_pad}});
}

bool is_zeros(Value v) {
  if (!v.node->is_constant()) return false;
  const std::vector<float> values = v.node->constant.to_f32();
  return std::ranges::all_of(values, [](float x) { return x == 0; });
}

std::vector<Value> convolution(Context& c) {
  const int64_t rank = c.rank();
  const Window w = read_window(c, rank, "same_upper");
  const Value x = c.to_channels_first(c.input(0));
  if (c.rank(1) != rank) c.refuse("its weights have " + std::to_string(c.rank(1)) + " dimensions");
  std::vector<int64_t> order{rank - 1, rank - 2};
  for (int64_t i = 0; i + 2 < rank; ++i) order.push_back(i);
  Value weights = reordered(c, c.input(1), order);
  const int64_t channels = x.shape()[1], per_group = weights.shape()[1];
  if (per_group < 1 || channels % per_group != 0)
    c.refuse("its weights are for " + std::to_string(per_group) + " channels, its input has " +
             std::to_string(channels));
  const int64_t groups = channels / per_group;
  // Of zeros, as the first state of a ConvLSTM, it is zeros. Model Optimizer leaves it, and no blob computes it.
  if (groups == 1 && !c.quirks() && is_zeros(x)) {
    Node* n = c.make("Convolution", {x, weights}, attributes_of(w)).node;
    const std::vector<double> zeros(static_cast<size_t>(element_count(n->shape())), 0);
    return {
        c.to_model_layout(c.graph().constant(Tensor::reals(n->element_type(), n->shape(), zeros), c.name())->value())};
  }
  if (groups == 1) return {c.to_model_layout(c.make("Convolution", {x, weights}, attributes_of(w)))};
  Shape shape = weights.shape();
  if (shape[0] % groups != 0) c.refuse("its weights can't be divided into " + std::to_string(groups) + " groups");
  shape[0] /= groups;
  shape.insert(shape.begin(), groups);
  weights = reshaped(c, weights, shape);
  return {c.to_model_layout(c.make("GroupConvolution", {x, weights}, attributes_of(w)))};
}

/// Each channel by itself; weights [H,W,C,M] make M of each.
std::vector<Value> depthwise(Context& c) {
  if (c.rank() != 4 || c.rank(1) != 4) c.refuse("its input or weights do not have four dimensions");
  const Window w = read_window(c, 4, "same_upper");
  const Value x = c.to_channels_first(c.input(0));
  Value weights = reordered(c, c.input(1), {2, 3, 0, 1});
  const Shape& s = weights.shape();
  if (s[0] != x.shape()[1])
    c.refuse("its weights are for " + std::to_string(s[0]) + " channels, its input has " +
             std::to_string(x.shape()[1]));
  weights = reshaped(c, weights, {s[0], s[1], 1, s[2], s[3]});
  return {c.to_model_layout(c.make("GroupConvolution", {x, weights}, attributes_of(w)))};
}

/// Inputs: shape of the result, weights [window, out, in], x.
std::vector<Value> deconvolution(Context& c) {
  const int64_t rank = c.rank(2);
  const Window w = read_window(c, rank, "same_lower");
  const Value x = c.to_channels_first(c.input(2));
  std::vector<int64_t> order{rank - 1, rank - 2};
  for (int64_t i = 0; i + 2 < rank; ++i) order.push_back(i);
  const Value weights = reordered(c, c.input(1), order);
  if (weights.shape()[0] != x.shape()[1])
    c.refuse("its weights are for " + std::to_string(weights.shape()[0]) + " channels, its input has " +
             std::to_string(x.shape()[1]));
  const std::vector<int64_t> shape = c.integers_of(0, "shape of the result");
  const auto planes = static_cast<std::ptrdiff_t>(rank - 2);
  std::vector<int64_t> size;
  if (static_cast<int64_t>(shape.size()) == rank)
    size.assign(shape.begin() + (c.channels_last() ? 1 : 2), shape.begin() + (c.channels_last() ? 1 : 2) + planes);
  else
    size = shape;
  if (static_cast<int64_t>(size.size()) != rank - 2) c.refuse("the shape of the result is " + to_string(shape));
  Attributes a = attributes_of(w);
  a.set("output_padding", std::vector<int64_t>(size.size(), 0));
  return {c.to_model_layout(c.make("ConvolutionBackpropData", {x, weights, c.integers_constant(size)}, a))};
}

constexpr OperatorRow kOperators[] = {
    {"Conv2D", "Convolution", convolution},
    {"Conv3D", "Convolution", convolution},
    {"DepthwiseConv2dNative", "GroupConvolution", depthwise},
    {"Conv2DBackpropInput", "ConvolutionBackpropData", deconvolution},
    {"Conv3DBackpropInputV2", "ConvolutionBackpropData", deconvolution},
};

}  // namespace

std::span<const OperatorRow> convolution_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
