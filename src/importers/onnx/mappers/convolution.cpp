// Convolutions, pools, fully connected layers, products by an equation.
#include <map>

#include "importers/onnx/mapper.hpp"

namespace blobsmith::onnx_import {
namespace {

struct Window {
  std::vector<int64_t> kernel, strides, dilations, pads_begin, pads_end;
  std::string auto_pad;
};

Window window(Context& c, size_t spatial) {
  Window w;
  w.kernel = c.integers("kernel_shape");
  w.strides = c.integers("strides", std::vector<int64_t>(spatial, 1));
  w.dilations = c.integers("dilations", std::vector<int64_t>(spatial, 1));
  const std::vector<int64_t> pads = c.integers("pads", std::vector<int64_t>(2 * spatial, 0));
  if (pads.size() != 2 * spatial || w.strides.size() != spatial || w.dilations.size() != spatial)
    c.refuse("pads, strides or dilations do not fit the input's " + std::to_string(spatial) + " spatial axes");
  w.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(spatial));
  w.pads_end.assign(pads.begin() + static_cast<std::ptrdiff_t>(spatial), pads.end());
  const std::string mode = c.text("auto_pad", "NOTSET");
  w.auto_pad = mode == "SAME_UPPER"   ? "same_upper"
               : mode == "SAME_LOWER" ? "same_lower"
               : mode == "VALID"      ? "valid"
                                      : "explicit";
  return w;
}

size_t spatial_axes(Context& c) {
  if (c.rank() < 3) c.refuse("its input has " + std::to_string(c.rank()) + " dimensions");
  return static_cast<size_t>(c.rank()) - 2;
}

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
  const Window w = window(c, spatial_axes(c));
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

Value deconvolve(Context& c, const std::string& suffix) {
  const size_t spatial = spatial_axes(c);
  const Window w = window(c, spatial);
  const int64_t groups = c.integer("group", 1);
  if (groups < 1) c.refuse("group is " + std::to_string(groups));
  const Attributes a = attributes({{"strides", w.strides},
                                   {"dilations", w.dilations},
                                   {"pads_begin", w.pads_begin},
                                   {"pads_end", w.pads_end},
                                   {"auto_pad", w.auto_pad},
                                   {"output_padding", c.integers("output_padding", std::vector<int64_t>(spatial, 0))}});
  std::vector<Value> inputs{c.input(0), groups == 1 ? c.input(1) : grouped_weights(c, c.input(1), groups)};
  if (c.node().find("output_shape")) {
    std::vector<int64_t> shape = c.integers("output_shape");
    if (shape.size() > spatial) shape.erase(shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(spatial));
    inputs.push_back(c.integers_constant(shape));
  }
  return c.make(groups == 1 ? "ConvolutionBackpropData" : "GroupConvolutionBackpropData", inputs, a, Context::kNewest,
                suffix);
}

std::vector<Value> map_conv(Context& c) { return with_bias(c, convolve); }
std::vector<Value> map_conv_transpose(Context& c) { return with_bias(c, deconvolve); }

std::vector<Value> pool(Context& c, const char* type) {
  const Window w = window(c, spatial_axes(c));
  Attributes a = attributes({{"kernel", w.kernel},
                             {"strides", w.strides},
                             {"pads_begin", w.pads_begin},
                             {"pads_end", w.pads_end},
                             {"auto_pad", w.auto_pad},
                             {"rounding_type", std::string(c.integer("ceil_mode", 0) ? "ceil" : "floor")}});
  if (std::string_view(type) == "AvgPool") a.set("exclude-pad", c.integer("count_include_pad", 0) == 0);
  return {c.make(type, {c.input(0)}, a, 1)};
}
std::vector<Value> map_max_pool(Context& c) { return pool(c, "MaxPool"); }
std::vector<Value> map_average_pool(Context& c) { return pool(c, "AvgPool"); }

std::vector<Value> global_pool(Context& c, const char* type) {
  std::vector<int64_t> axes;
  for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  return {c.make(type, {c.input(0), c.integers_constant(axes)}, attributes({{"keep_dims", true}}), Context::kNewest,
                 "/reduce")};
}
std::vector<Value> map_global_average_pool(Context& c) { return global_pool(c, "ReduceMean"); }
std::vector<Value> map_global_max_pool(Context& c) { return global_pool(c, "ReduceMax"); }

/// No operator of Model Optimizer: the root of the sum of powers.
std::vector<Value> map_global_lp_pool(Context& c) {
  const auto p = static_cast<double>(c.integer("p", 2));
  if (p < 1) c.refuse("p is " + std::to_string(c.integer("p", 2)));
  if (p == 2) return global_pool(c, "ReduceL2");
  std::vector<int64_t> axes;
  for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  const Value size = c.make("Abs", {c.input(0)}, {}, Context::kNewest, "/abs");
  const Value powers = p == 1 ? size : c.binary("Power", size, p, "/power");
  const Value sum = c.make("ReduceSum", {powers, c.integers_constant(axes)}, attributes({{"keep_dims", true}}),
                           Context::kNewest, p == 1 ? "" : "/sum");
  return {p == 1 ? sum : c.binary("Power", sum, 1 / p)};
}

std::vector<Value> map_mat_mul(Context& c) {
  return {c.make("MatMul", {c.input(0), c.input(1)}, attributes({{"transpose_a", false}, {"transpose_b", false}}))};
}

/// The equation with the output that it implies: the letters that occur once, in order.
/// quirk: Model Optimizer takes all letters.
std::string with_output(std::string equation, bool quirks) {
  std::erase(equation, ' ');
  if (equation.find("->") != std::string::npos) return equation;
  std::string output = equation.find("...") == std::string::npos ? "" : "...";
  std::map<char, int> count;
  for (char letter : equation)
    if (letter != ',' && letter != '.') ++count[letter];
  for (const auto& [letter, n] : count)
    if (n == 1 || quirks) output += letter;
  return equation + "->" + output;
}

std::vector<Value> map_einsum(Context& c) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < c.node().inputs.size(); ++i) inputs.push_back(c.input(i));
  return {c.make("Einsum", inputs, attributes({{"equation", with_output(c.text("equation", ""), c.quirks())}}))};
}

std::vector<Value> map_gemm(Context& c) {
  const Attributes a =
      attributes({{"transpose_a", c.integer("transA", 0) != 0}, {"transpose_b", c.integer("transB", 0) != 0}});
  const double alpha = c.real("alpha", 1), beta = c.real("beta", 1);
  const auto scaled = [&](Value v, double by, const char* suffix) {
    return by == 1 ? v
                   : c.make("Multiply", {v, c.number_constant(v.type(), Shape(v.shape().size(), 1), by)}, {},
                            Context::kNewest, suffix);
  };
  if (!c.has_input(2)) return {scaled(c.make("MatMul", {c.input(0), c.input(1)}, a), alpha, "/Alpha_")};
  const Value product =
      scaled(c.make("MatMul", {c.input(0), c.input(1)}, a, Context::kNewest, "/WithoutBiases"), alpha, "/Alpha_");
  Value bias = scaled(c.input(2), beta, "/Beta_");
  if (bias.shape().size() == 1 && bias.node->is_constant()) bias = c.reshape(bias, {1, bias.shape()[0]});
  return {c.make("Add", {product, bias})};
}

constexpr Mapper kMappers[] = {{"Conv", map_conv},
                               {"ConvTranspose", map_conv_transpose},
                               {"MaxPool", map_max_pool},
                               {"AveragePool", map_average_pool},
                               {"GlobalAveragePool", map_global_average_pool},
                               {"GlobalMaxPool", map_global_max_pool},
                               {"GlobalLpPool", map_global_lp_pool},
                               {"MatMul", map_mat_mul},
                               {"Gemm", map_gemm},
                               {"Einsum", map_einsum}};

}  // namespace

std::span<const Mapper> convolution_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
