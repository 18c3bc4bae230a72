// Convolutions. The Inference Engine computes groups and bias from shapes at run time; they are folded later.
#include <algorithm>

#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/onnx/window.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

/// [1,C,1,...] for adding a bias of C elements.
Value channel_constant(Context& c, Value bias, size_t spatial) {
  std::vector<int64_t> shape{1, element_count(bias.shape())};
  shape.resize(spatial + 2, 1);
  return c.reshape(bias, shape, "/Dims");
}

std::vector<Value> with_bias(Context& c, Value (*convolve)(Context&, const std::string& suffix)) {
  if (!c.has_input(2)) return {convolve(c, "")};
  const Value y = convolve(c, "/WithoutBiases");
  return {c.make("Add", {y, channel_constant(c, c.input(2), y.shape().size() - 2)})};
}

/// [a, b, rest] -> [groups, a or b divided, ...]
Value grouped_weights(Context& c, Value w, int64_t groups) {
  Shape s = w.shape();
  if (s[0] % groups != 0) c.refuse("its weights can't be divided into " + std::to_string(groups) + " groups");
  s[0] /= groups;
  s.insert(s.begin(), groups);
  return c.reshape(w, s);
}

Value convolve(Context& c, const std::string& suffix) {
  const WindowAttributes w = read_window_attributes(c, spatial_axes(c, c.input(0)));
  const int64_t groups = c.integer("group", 1);
  if (groups < 1) c.refuse("group is " + std::to_string(groups));
  const Attributes a = attributes({{"strides", w.strides},
                                   {"dilations", w.dilations},
                                   {"pads_begin", w.pads_begin},
                                   {"pads_end", w.pads_end},
                                   {"auto_pad", w.auto_pad}});
  if (groups == 1) return c.make("Convolution", {c.input(0), c.input(1)}, a, Context::kNewest, suffix);
  return c.make("GroupConvolution", {c.input(0), grouped_weights(c, c.input(1), groups)}, a, Context::kNewest, suffix);
}

/// The sizes that an operator states, without those of batch and channels.
std::vector<int64_t> stated_output(const Context& c, size_t spatial) {
  std::vector<int64_t> shape = c.integers("output_shape");
  if (shape.size() > spatial) shape.erase(shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(spatial));
  return shape;
}

/// A transposed convolution whose output has a stated size, or that of the input times the stride (SAME): its padding,
/// and the rows that no input reaches. quirk: Model Optimizer leaves SAME without padding, and cuts what is more than
/// the stated size off at the end.
std::vector<int64_t> pad_to_size(Context& c, WindowAttributes& w, std::vector<int64_t> added) {
  const Shape &x = c.input(0).shape(), &weights = c.input(1).shape();
  const bool is_stated = c.has("output_shape");
  const std::vector<int64_t> stated = is_stated ? stated_output(c, w.strides.size()) : std::vector<int64_t>();
  if (is_stated && stated.size() != w.strides.size()) c.refuse("its output_shape has not one size for each axis");
  for (size_t i = 0; i < w.strides.size(); ++i) {
    if (x[i + 2] == kDynamic) c.refuse("the size of its input must be known, as its padding follows from it");
    const int64_t extent = (weights[i + 2] - 1) * w.dilations[i] + 1,
                  size = is_stated ? stated[i] : x[i + 2] * w.strides[i];
    const int64_t all = w.strides[i] * (x[i + 2] - 1) + added.at(i) + extent - size;
    if (is_stated && all < 0) added[i] -= all;
    const int64_t padding = std::max<int64_t>(0, all);
    w.pads_begin[i] = w.auto_pad == "same_upper" ? padding / 2 : padding - padding / 2;
    w.pads_end[i] = padding - w.pads_begin[i];
  }
  w.auto_pad = "explicit";
  return added;
}

Value deconvolve(Context& c, const std::string& suffix) {
  const size_t spatial = spatial_axes(c, c.input(0));
  WindowAttributes w = read_window_attributes(c, spatial);
  const int64_t groups = c.integer("group", 1);
  if (groups < 1) c.refuse("group is " + std::to_string(groups));
  std::vector<int64_t> added = c.integers("output_padding", std::vector<int64_t>(spatial, 0));
  const bool is_sized = !c.quirks() && (w.auto_pad.starts_with("same") || c.has("output_shape"));
  if (is_sized) added = pad_to_size(c, w, added);
  const Attributes a = attributes({{"strides", w.strides},
                                   {"dilations", w.dilations},
                                   {"pads_begin", w.pads_begin},
                                   {"pads_end", w.pads_end},
                                   {"auto_pad", w.auto_pad},
                                   {"output_padding", added}});
  std::vector<Value> inputs{c.input(0), groups == 1 ? c.input(1) : grouped_weights(c, c.input(1), groups)};
  if (c.has("output_shape") && !is_sized) inputs.push_back(c.integers_constant(stated_output(c, spatial)));
  return c.make(groups == 1 ? "ConvolutionBackpropData" : "GroupConvolutionBackpropData", inputs, a, Context::kNewest,
                suffix);
}

/// No operator of Model Optimizer: blocks added up where they overlap, which a transposed convolution of ones does.
std::vector<Value> blocks_to_image(Context& c) {
  const std::vector<int64_t> image = c.constant_integers(1, "image shape"),
                             block = c.constant_integers(2, "block shape");
  const Shape x = c.input(0).shape();
  if (x.size() != 3 || !is_static(x) || image.size() != 2 || block.size() != 2)
    c.refuse("only planes are supported, not images of the shape " + to_string(image));
  const WindowAttributes w = read_window_attributes(c, 2);
  const int64_t taps = element_count(block), channels = x[1] / taps;
  Shape in{x[0], x[1]};
  for (size_t i = 0; i < 2; ++i)
    in.push_back((image[i] + w.pads_begin[i] + w.pads_end[i] - w.dilations[i] * (block[i] - 1) - 1) / w.strides[i] + 1);
  if (channels * taps != x[1] || in[2] * in[3] != x[2]) c.refuse("its input has the shape " + to_string(x));
  std::vector<float> ones(static_cast<size_t>(channels * taps * taps), 0.0f);
  for (int64_t k = 0; k < channels * taps; ++k) ones[static_cast<size_t>(k * taps + k % taps)] = 1;
  const Value weights =
      c.graph()
          .constant(floats_of(c.input(0).type(), {channels, taps, 1, block[0], block[1]}, ones), c.name() + "/weights")
          ->value();
  std::vector<int64_t> rest;  // rows and columns that no block reaches
  for (size_t i = 0; i < 2; ++i)
    rest.push_back(image[i] + w.pads_begin[i] + w.pads_end[i] - (in[i + 2] - 1) * w.strides[i] -
                   w.dilations[i] * (block[i] - 1) - 1);
  const Attributes a = attributes({{"strides", w.strides},
                                   {"dilations", w.dilations},
                                   {"pads_begin", w.pads_begin},
                                   {"pads_end", w.pads_end},
                                   {"auto_pad", std::string("explicit")},
                                   {"output_padding", rest}});
  return {c.make("GroupConvolutionBackpropData", {c.reshape(c.input(0), in, "/blocks"), weights}, a)};
}

std::vector<Value> convolution(Context& c) { return with_bias(c, convolve); }
std::vector<Value> deconvolution(Context& c) { return with_bias(c, deconvolve); }

}  // namespace
}  // namespace mo

namespace ie {
namespace {

/// [O, I, ...] -> [groups, O / groups, I, ...]
Value grouped(Context& c, Value weights, int64_t groups) {
  const Value axis = c.scalar_i64(0), lengths = c.list_i64({1, -1}), count = c.list_i64({groups});
  const Value shape = c.shape_of(weights);
  Node* parts = c.make("VariadicSplit", {shape, axis, lengths}).node;
  const Value quotient = c.binary("Divide", parts->value(0), count);
  return c.reshape(weights, c.concat({count, quotient, parts->value(1)}, 0), false);
}

int64_t group_count(Context& c, Value x, Value weights) {
  const int64_t groups = c.integer("group", 1);
  if (groups < 0) c.refuse("incorrect value of 'group' attribute: " + std::to_string(groups));
  for (const Value v : {x, weights})
    if (groups > 0 && c.rank(v) > 1 && v.shape()[v == x ? 1 : 0] > 0 && v.shape()[v == x ? 1 : 0] % groups != 0)
      c.refuse("provided group attribute value must be a multiple of channels count.");
  return groups;
}

std::vector<Value> convolution(Context& c) {
  if (c.input_count() < 3 && c.release().absent_bias_is_node) c.skip_ids(1);
  const Value x = c.input(0), weights = c.input(1);
  const WindowAttributes w = read_window_attributes(c, spatial_axes(c, x));
  const int64_t groups = group_count(c, x, weights);
  const Attributes a = attributes({{"strides", w.strides},
                                   {"dilations", w.dilations},
                                   {"pads_begin", w.pads_begin},
                                   {"pads_end", w.pads_end},
                                   {"auto_pad", w.auto_pad}});
  const Value y = groups > 1 ? c.make("GroupConvolution", {x, grouped(c, weights, groups)}, a)
                             : c.make("Convolution", {x, weights}, a);
  if (!c.has_input(2)) return {y};
  const Value bias = c.input(2);
  if (c.rank(bias) != 1) c.refuse("The bias input needs to be 1D vector");
  const Value shape = c.shape_of(y), rank = c.shape_of(shape);
  return {c.binary("Add", y, channel_reshape(c, bias, rank))};
}

std::vector<Value> deconvolution(Context& c) {
  const Value x = c.input(0);
  Value weights = c.input(1);
  const size_t axes = spatial_axes(c, x);
  const WindowAttributes w = read_window_attributes(c, axes);
  const int64_t groups = c.integer("group", 1);
  if (groups < 0) c.refuse("incorrect value of 'group' attribute: " + std::to_string(groups));
  const int64_t channels = c.rank(weights) > 1 ? weights.shape()[1] * std::max<int64_t>(groups, 1) : 0;
  if (groups > 1) weights = grouped(c, weights, groups);
  Attributes a = attributes({{"strides", w.strides},
                             {"dilations", w.dilations},
                             {"pads_begin", w.pads_begin},
                             {"pads_end", w.pads_end},
                             {"auto_pad", w.auto_pad},
                             {"output_padding", c.integers("output_padding", std::vector<int64_t>(axes, 0))}});
  std::vector<Value> inputs{x, weights};
  if (c.has("output_shape")) inputs.push_back(c.list_i64(c.integers("output_shape")));
  const Value y = c.make(groups > 1 ? "GroupConvolutionBackpropData" : "ConvolutionBackpropData", inputs, a);
  if (!c.has_input(2)) return {y};
  std::vector<int64_t> shape(static_cast<size_t>(c.rank(y)), 1);
  shape.at(1) = channels;
  const Value bias = c.input(2), pattern = c.list_i64(shape);
  return {c.binary("Add", y, c.reshape(bias, pattern, false))};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"Conv", 1, "Convolution", mo::convolution, ie::convolution},
    {"ConvTranspose", 1, "ConvolutionBackpropData", mo::deconvolution, ie::deconvolution},
    {"Col2Im", 18, "GroupConvolutionBackpropData", mo::blocks_to_image, nullptr},
};

}  // namespace

std::span<const OperatorRow> convolution_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
