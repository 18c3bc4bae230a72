// Convolutions, products with a matrix, pools.
#include <algorithm>

#include "importers/caffe/operators.hpp"

namespace blobsmith::caffe {
namespace {

using Pair = std::vector<int64_t>;  // height, width

/// kernel_h and kernel_w, or kernel_size once for both or for each.
Pair spatial(const Context& c, const Message& p, const char* both, const std::string& each, int64_t fallback) {
  const std::vector<int64_t> list = p.integers(both);
  if (list.size() > 2) c.refuse("its " + std::string(both) + " has more than two values: it is not a 2-D layer");
  const int64_t first = list.empty() ? fallback : list[0], second = list.size() > 1 ? list[1] : first;
  return {p.integer(each + "_h", first), p.integer(each + "_w", second)};
}

void check_window(const Context& c, const Pair& kernel, const Pair& stride, const Pair& dilation) {
  for (const Pair* p : {&kernel, &stride, &dilation})
    if (std::ranges::any_of(*p, [](int64_t v) { return v < 1 || v > INT32_MAX; }))
      c.refuse("its kernel, stride or dilation is not positive");
}
void check_pads(const Context& c, const Pair& pads) {
  if (std::ranges::any_of(pads, [](int64_t v) { return v < 0 || v > INT32_MAX; })) c.refuse("its pads are negative");
}

/// The blob's values in the shape that the parameters ask for, whatever shape is stored.
Tensor weights_of(const Context& c, Shape shape) {
  const Tensor& w = c.blob(0);
  if (element_count(shape) != element_count(w.shape))
    c.refuse("Size of weights " + std::to_string(element_count(w.shape)) +
             " does not match kernel shape: " + to_string(shape));
  return {w.type, std::move(shape), w.bytes};
}

bool is_deconvolution(const Context& c) { return c.becomes() == "ConvolutionBackpropData"; }

std::vector<Value> convolution(Context& c) {
  const Message& p = c.parameters("convolution_param");
  if (c.input_count() != 1) c.refuse("it has several inputs");
  if (c.rank() != 4) c.refuse("its input has " + std::to_string(c.rank()) + " dimensions, not 4");
  if (c.axis(p.integer("axis", 1)) != 1) c.refuse("its axis is not 1");
  const Pair kernel = spatial(c, p, "kernel_size", "kernel", 0), stride = spatial(c, p, "stride", "stride", 1),
             pads = spatial(c, p, "pad", "pad", 0), dilation = spatial(c, p, "dilation", "dilation", 1);
  check_window(c, kernel, stride, dilation);
  check_pads(c, pads);
  const int64_t in = c.shape()[1], out = p.integer("num_output", 0);
  // Layers of their own for depthwise convolutions have no group.
  const int64_t group = c.type().find("epthwise") != std::string::npos ? in : p.integer("group", 1);
  if (out < 1 || group < 1 || in % group != 0 || out % group != 0)
    c.refuse(std::to_string(in) + " input and " + std::to_string(out) + " output channels can't be in " +
             std::to_string(group) + " groups");
  Shape shape =
      is_deconvolution(c) ? Shape{in, out / group, kernel[0], kernel[1]} : Shape{out, in / group, kernel[0], kernel[1]};
  std::string type = c.becomes();
  if (group > 1) {
    shape[0] /= group;
    shape.insert(shape.begin(), group);
    type = "Group" + type;
  }
  Attributes a = attributes({{"strides", stride},
                             {"dilations", dilation},
                             {"pads_begin", pads},
                             {"pads_end", pads},
                             {"auto_pad", std::string("explicit")}});
  if (is_deconvolution(c)) a.set("output_padding", Pair{0, 0});
  const bool biased = p.flag("bias_term", true);
  const Value y = c.make(type, {c.input(0), c.constant(weights_of(c, std::move(shape)), "/weights")}, a,
                         Context::kNewest, biased ? "/WithoutBiases" : "");
  if (!biased) return {y};
  return {c.add_bias(y, c.blob(1))};
}

std::vector<Value> inner_product(Context& c) {
  const Message& p = c.parameters("inner_product_param");
  const int64_t out = p.integer("num_output", 0);
  const size_t axis = c.axis(p.integer("axis", 1));
  const Shape& x = c.shape();
  const int64_t in = element_count(Shape(x.begin() + static_cast<std::ptrdiff_t>(axis), x.end()));
  const bool stands = p.flag("transpose", false);
  std::vector<int64_t> pattern(axis, 0);
  pattern.push_back(-1);
  const Value flat = c.reshape(c.input(0), pattern, "/flatten_fc_input");
  const Value weights = c.constant(weights_of(c, stands ? Shape{in, out} : Shape{out, in}), "/weights_transpose");
  const bool biased = p.flag("bias_term", true);
  const Value y = c.make("MatMul", {flat, weights}, attributes({{"transpose_a", false}, {"transpose_b", !stands}}),
                         Context::kNewest, biased ? "/WithoutBiases" : "");
  if (!biased) return {y};
  const Tensor& bias = c.blob(1);
  if (element_count(bias.shape) != out) c.refuse("its bias does not have num_output values");
  Shape shape(axis + 1, 1);
  shape.back() = out;
  return {c.make("Add", {y, c.constant({bias.type, shape, bias.bytes}, "/biases")})};
}

// ---- pools ----

std::string pool_type(const Context& c, const Message& p) {
  const std::string method = p.text("pool", "MAX");
  if (method == "MAX" || method == "0") return "Max";
  if (method == "AVE" || method == "1") return "Avg";
  c.refuse("its pooling method " + method + " can't be computed");
}

std::vector<Value> global_pool(Context& c, bool max) {
  std::vector<int64_t> axes;
  for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  return {c.make(max ? "ReduceMax" : "ReduceMean", {c.input(0), c.integers_constant(axes)},
                 attributes({{"keep_dims", true}}), Context::kNewest, "/reduce")};
}

/// Caffe takes the last window away where it lies in the padding.
bool loses_last_window(int64_t in, int64_t kernel, int64_t stride, int64_t pad) {
  const int64_t out = (in + 2 * pad - kernel + stride - 1) / stride + 1;
  return pad > 0 && (out - 1) * stride >= in + pad;
}

std::vector<Value> pooling(Context& c) {
  const Message& p = c.parameters("pooling_param");
  const bool max = pool_type(c, p) == "Max";
  if (c.output_count() > 1) c.refuse("the places of its maxima, its second output, can't be computed");
  if (p.flag("global_pooling", false)) {
    for (const char* unused : {"kernel_size", "kernel_h", "kernel_w", "stride", "stride_h", "stride_w", "pad", "pad_h",
                               "pad_w", "ceil_mode"})
      p.mark_read(unused);
    return global_pool(c, max);
  }
  if (c.rank() != 4) c.refuse("its input has " + std::to_string(c.rank()) + " dimensions, not 4");
  const Pair kernel = spatial(c, p, "kernel_size", "kernel", 0), stride = spatial(c, p, "stride", "stride", 1),
             pads = spatial(c, p, "pad", "pad", 0);
  check_window(c, kernel, stride, {1, 1});
  check_pads(c, pads);
  bool ceil = p.flag("ceil_mode", true);
  const std::string round = p.text("round_mode", "CEIL");
  if (round == "FLOOR" || round == "1") ceil = false;
  if (ceil && !c.quirks()) {
    const bool h = loses_last_window(c.shape()[2], kernel[0], stride[0], pads[0]),
               w = loses_last_window(c.shape()[3], kernel[1], stride[1], pads[1]);
    if (h && w) ceil = false;
    if (h != w) c.refuse("Caffe drops the last window along one axis only, which no pool of the VPU does");
  }
  Attributes a = attributes({{"strides", stride},
                             {"pads_begin", pads},
                             {"pads_end", pads},
                             {"kernel", kernel},
                             {"rounding_type", std::string(ceil ? "ceil" : "floor")},
                             {"auto_pad", std::string("explicit")}});
  if (!max) a.set("exclude-pad", false);
  return {c.make(max ? "MaxPool" : "AvgPool", {c.input(0)}, a, 1)};
}

/// Pools of 1, 2, 4... windows along each axis, their values side by side. No layer of Model Optimizer.
std::vector<Value> pyramid(Context& c) {
  const Message& p = c.parameters("spp_param");
  const bool max = pool_type(c, p) == "Max";
  const int64_t height = p.integer("pyramid_height", 0);
  if (height < 1 || height > 16 || c.rank() != 4) c.refuse("its pyramid_height is " + std::to_string(height));
  std::vector<Value> parts;
  for (int64_t level = 0; level < height; ++level) {
    const int64_t bins = int64_t{1} << level;
    Pair kernel, pads;
    for (const size_t axis : {2, 3}) {
      kernel.push_back((c.shape()[axis] + bins - 1) / bins);
      pads.push_back((kernel.back() * bins - c.shape()[axis] + 1) / 2);
    }
    Attributes a = attributes({{"strides", kernel},
                               {"pads_begin", pads},
                               {"pads_end", pads},
                               {"kernel", kernel},
                               {"rounding_type", std::string("floor")},
                               {"auto_pad", std::string("explicit")}});
    if (!max) a.set("exclude-pad", false);
    const std::string suffix = "/level_" + std::to_string(level);
    const Value pool = c.make(max ? "MaxPool" : "AvgPool", {c.input(0)}, a, 1, suffix);
    parts.push_back(c.reshape(pool, {0, -1}, suffix + "/flat"));
  }
  return {c.make("Concat", parts, attributes({{"axis", int64_t{1}}}))};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"Convolution", "Convolution", convolution, "2-D, one input"},
    {"ConvolutionDepthwise", "Convolution", convolution, "2-D, one input"},
    {"DepthwiseConvolution", "Convolution", convolution, "2-D, one input"},
    {"Deconvolution", "ConvolutionBackpropData", convolution, "2-D, one input"},
    {"InnerProduct", "MatMul", inner_product},
    {"Pooling", "MaxPool", pooling, "MAX and AVE"},
    {"SPP", "MaxPool", pyramid, "MAX and AVE"},
};

}  // namespace

std::span<const OperatorRow> convolution_operators() { return kOperators; }

}  // namespace blobsmith::caffe
