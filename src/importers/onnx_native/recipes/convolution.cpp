// Convolutions, with groups and bias computed from shapes at run time (and folded later).
#include "importers/onnx_native/recipe.hpp"
#include "importers/onnx_native/window.hpp"

namespace blobsmith::onnx_native {
namespace {

/// [O, I, ...] -> [groups, O / groups, I, ...]
Value grouped(Recipe& r, Value weights, int64_t groups) {
  const Value axis = r.scalar_i64(0), lengths = r.list_i64({1, -1}), count = r.list_i64({groups});
  const Value shape = r.shape_of(weights);
  Node* parts = r.make("VariadicSplit", {shape, axis, lengths}).node;
  const Value quotient = r.binary("Divide", parts->value(0), count);
  return r.reshape(weights, r.concat({count, quotient, parts->value(1)}, 0), false);
}

int64_t group_count(Recipe& r, Value x, Value weights) {
  const int64_t groups = r.integer("group", 1);
  if (groups < 0) r.refuse("incorrect value of 'group' attribute: " + std::to_string(groups));
  for (const Value v : {x, weights})
    if (groups > 0 && r.rank(v) > 1 && v.shape()[v == x ? 1 : 0] > 0 && v.shape()[v == x ? 1 : 0] % groups != 0)
      r.refuse("provided group attribute value must be a multiple of channels count.");
  return groups;
}

std::vector<Value> convolution(Recipe& r) {
  const Value x = r.input(0), weights = r.input(1);
  const Window w = read_window(r, spatial_axes(r, x));
  const int64_t groups = group_count(r, x, weights);
  const Attributes a = attributes({{"strides", w.strides},
                                   {"dilations", w.dilations},
                                   {"pads_begin", w.pads_begin},
                                   {"pads_end", w.pads_end},
                                   {"auto_pad", w.auto_pad}});
  const Value y = groups > 1 ? r.make("GroupConvolution", {x, grouped(r, weights, groups)}, a)
                             : r.make("Convolution", {x, weights}, a);
  if (!r.has_input(2)) return {y};
  const Value bias = r.input(2);
  if (r.rank(bias) != 1) r.refuse("The bias input needs to be 1D vector");
  const Value shape = r.shape_of(y), rank = r.shape_of(shape);
  return {r.binary("Add", y, channel_reshape(r, bias, rank))};
}

std::vector<Value> deconvolution(Recipe& r) {
  const Value x = r.input(0);
  Value weights = r.input(1);
  const size_t axes = spatial_axes(r, x);
  const Window w = read_window(r, axes);
  const int64_t groups = r.integer("group", 1);
  if (groups < 0) r.refuse("incorrect value of 'group' attribute: " + std::to_string(groups));
  const int64_t channels = r.rank(weights) > 1 ? weights.shape()[1] * std::max<int64_t>(groups, 1) : 0;
  if (groups > 1) weights = grouped(r, weights, groups);
  Attributes a = attributes({{"strides", w.strides},
                             {"dilations", w.dilations},
                             {"pads_begin", w.pads_begin},
                             {"pads_end", w.pads_end},
                             {"auto_pad", w.auto_pad},
                             {"output_padding", r.integers("output_padding", std::vector<int64_t>(axes, 0))}});
  std::vector<Value> inputs{x, weights};
  if (r.has("output_shape")) inputs.push_back(r.list_i64(r.integers("output_shape")));
  const Value y = r.make(groups > 1 ? "GroupConvolutionBackpropData" : "ConvolutionBackpropData", inputs, a);
  if (!r.has_input(2)) return {y};
  std::vector<int64_t> shape(static_cast<size_t>(r.rank(y)), 1);
  shape.at(1) = channels;
  const Value bias = r.input(2), pattern = r.list_i64(shape);
  return {r.binary("Add", y, r.reshape(bias, pattern, false))};
}

constexpr Row kRows[] = {{"Conv", 1, convolution}, {"ConvTranspose", 1, deconvolution}};

}  // namespace

std::span<const Row> convolution_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
