// Layers with windows, products, normalizations.
#include <algorithm>

#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {
namespace {

/// How many axes of planes the class has: the digit in front of its D.
size_t planes_of(const Layer& l) {
  const std::string& type = l.c.type();
  for (size_t i = type.size(); i-- > 1;)
    if (type[i] == 'D' && type[i - 1] >= '1' && type[i - 1] <= '3') return static_cast<size_t>(type[i - 1] - '0');
  return 2;
}

/// One number per axis of a tensor: of batch and channels 1.
std::vector<int64_t> for_all_axes(const Layer& l, std::vector<int64_t> planes) {
  if (planes.size() == 1) planes.insert(planes.begin(), 1);
  if (l.channels_last()) {
    planes.insert(planes.begin(), 1);
    planes.push_back(1);
  } else {
    planes.insert(planes.begin(), 2, 1);
  }
  return planes;
}

NamedAttributes with_layout(const Layer& l, NamedAttributes a) {
  if (!l.channels_last()) a["data_format"] = text_attribute("NCHW");
  return a;
}

std::string padding_of(const Layer& l) {
  const std::string padding = l.text("padding", "valid");
  if (padding == "same") return "SAME";
  if (padding == "valid" || padding == "causal") return "VALID";
  l.refuse("padding is '" + padding + "'");
}

/// One dimension is a picture of one line.
Value as_picture(Layer& l, Value x, size_t planes) {
  if (planes != 1) return x;
  return l.apply("ExpandDims", {x, l.integers_value({l.channels_last() ? 1 : 2}, "/line_axis")}, {}, "/ExpandDims");
}
Value from_picture(Layer& l, Value y, size_t planes) {
  if (planes != 1) return y;
  return l.apply("Squeeze", {y}, {{"squeeze_dims", integers_attribute({l.channels_last() ? 1 : 2})}}, "/Squeeze");
}

/// Kernels of one dimension get another one in front.
Value kernel_of(Layer& l, const Tensor& kernel, size_t planes, const std::string& suffix = "/kernel") {
  Tensor t = kernel;
  if (planes == 1) t.shape.insert(t.shape.begin(), 1);
  return l.constant(t, suffix);
}

/// As many zeros in front as the window looks back.
Value causal(Layer& l, Value x, int64_t kernel, int64_t dilation) {
  if (l.text("padding", "valid") != "causal") return x;
  Tensor pads = Tensor::of(ElementType::i64, {3, 2}, std::vector<int64_t>{0, 0, (kernel - 1) * dilation, 0, 0, 0});
  if (!l.channels_last()) l.refuse("causal padding of channels in front");
  return l.apply("Pad", {x, l.constant(pads, "/pads")}, {}, "/Pad");
}

Value biased(Layer& l, Value y, size_t number, const char* name = "bias") {
  const Tensor* bias = l.flag("use_bias", true) ? l.find_weight(name, number) : nullptr;
  if (!bias) return y;
  return l.apply("BiasAdd", {y, l.constant(*bias, "/bias")}, with_layout(l, {}), "/BiasAdd");
}

Value finished(Layer& l, Value y) { return l.activated(y, l.config().value("activation", Json())); }

std::vector<Value> convolution(Layer& l) {
  const size_t planes = planes_of(l);
  const Tensor& kernel = l.weight("kernel", 0);
  const std::vector<int64_t> dilations = l.integers("dilation_rate", planes, 1);
  if (kernel.shape.size() != planes + 2) l.refuse("its kernel has the shape " + to_string(kernel.shape));
  Value x = causal(l, l.x(), kernel.shape[0], dilations[0]);
  x = as_picture(l, x, planes);
  const Value y =
      l.apply(planes == 3 ? "Conv3D" : "Conv2D", {x, kernel_of(l, kernel, planes)},
              with_layout(l, {{"strides", integers_attribute(for_all_axes(l, l.integers("strides", planes, 1)))},
                              {"dilations", integers_attribute(for_all_axes(l, dilations))},
                              {"padding", text_attribute(padding_of(l))}}),
              "/Conv");
  return {finished(l, biased(l, from_picture(l, y, planes), 1))};
}

Value depthwise_part(Layer& l, Value x, const Tensor& kernel, size_t planes) {
  return l.apply(
      "DepthwiseConv2dNative", {x, kernel_of(l, kernel, planes, "/depthwise_kernel")},
      with_layout(l, {{"strides", integers_attribute(for_all_axes(l, l.integers("strides", planes, 1)))},
                      {"dilations", integers_attribute(for_all_axes(l, l.integers("dilation_rate", planes, 1)))},
                      {"padding", text_attribute(padding_of(l))}}),
      "/depthwise");
}

std::vector<Value> depthwise(Layer& l) {
  const size_t planes = planes_of(l);
  const Tensor* named = l.find_weight("depthwise_kernel", 0);
  const Tensor& kernel = named ? *named : l.weight("kernel", 0);
  const Value x = as_picture(l, l.x(), planes);
  return {finished(l, biased(l, from_picture(l, depthwise_part(l, x, kernel, planes), planes), 1))};
}

std::vector<Value> separable(Layer& l) {
  const size_t planes = planes_of(l);
  const Tensor& first = l.weight("depthwise_kernel", 0);
  const Tensor& second = l.weight("pointwise_kernel", 1);
  Value x = causal(l, l.x(), first.shape.at(0), l.integers("dilation_rate", planes, 1)[0]);
  x = depthwise_part(l, as_picture(l, x, planes), first, planes);
  const std::vector<int64_t> ones(4, 1);
  const Value y = l.apply("Conv2D", {x, kernel_of(l, second, planes, "/pointwise_kernel")},
                          with_layout(l, {{"strides", integers_attribute(ones)}, {"padding", text_attribute("VALID")}}),
                          "/pointwise");
  return {finished(l, biased(l, from_picture(l, y, planes), 2))};
}

/// What a transposed convolution makes of a size.
int64_t grown(const Layer& l, int64_t size, int64_t kernel, int64_t stride, const std::string& padding,
              std::optional<int64_t> extra) {
  if (!extra) return padding == "SAME" ? size * stride : size * stride + std::max<int64_t>(kernel - stride, 0);
  const int64_t pad = padding == "SAME" ? kernel / 2 : 0;
  const int64_t out = (size - 1) * stride + kernel - 2 * pad + *extra;
  if (out < 1) l.refuse("output_padding is " + std::to_string(*extra));
  return out;
}

std::vector<Value> transposed(Layer& l) {
  const size_t planes = planes_of(l);
  const Tensor& kernel = l.weight("kernel", 0);  // [window, out, in]
  if (kernel.shape.size() != planes + 2) l.refuse("its kernel has the shape " + to_string(kernel.shape));
  const std::vector<int64_t> strides = l.integers("strides", planes, 1),
                             dilations = l.integers("dilation_rate", planes, 1);
  if (std::ranges::any_of(dilations, [](int64_t d) { return d != 1; }))
    l.refuse("its dilation_rate is " + to_string(dilations));
  const Value x = l.x();
  const std::string padding = padding_of(l);
  const auto extra_it = l.config().find("output_padding");
  const bool has_extra = extra_it != l.config().end() && !extra_it->is_null();
  const std::vector<int64_t> extra = l.integers("output_padding", planes, 0);
  Shape shape = x.shape();
  const size_t first = l.channels_last() ? 1 : 2;
  for (size_t i = 0; i < planes; ++i)
    shape.at(first + i) = grown(l, shape[first + i], kernel.shape[i], strides[i], padding,
                                has_extra ? std::optional(extra[i]) : std::nullopt);
  shape[l.channels_last() ? shape.size() - 1 : 1] = kernel.shape[planes];
  if (planes == 1) shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(first), 1);
  const Value y = l.apply(
      planes == 3 ? "Conv3DBackpropInputV2" : "Conv2DBackpropInput",
      {l.integers_value(shape, "/shape"), kernel_of(l, kernel, planes), as_picture(l, x, planes)},
      with_layout(l, {{"strides", integers_attribute(for_all_axes(l, strides))}, {"padding", text_attribute(padding)}}),
      "/conv_transpose");
  return {finished(l, biased(l, from_picture(l, y, planes), 1))};
}

std::vector<Value> dense(Layer& l) {
  const Tensor& kernel = l.weight("kernel", 0);
  const Value x = l.x();
  if (kernel.shape.size() != 2 || x.shape().empty() || x.shape().back() != kernel.shape[0])
    l.refuse("its kernel has the shape " + to_string(kernel.shape) + ", its input " + to_string(x.shape()));
  const Value w = l.constant(kernel, "/kernel");
  if (x.shape().size() == 2) return {finished(l, biased(l, l.apply("MatMul", {x, w}, {}, "/MatMul"), 1))};
  Shape shape = x.shape();
  shape.back() = kernel.shape[1];
  const Value rows =
      l.apply("Reshape", {x, l.integers_value({-1, kernel.shape[0]}, "/rows")}, {}, "/Tensordot/Reshape");
  const Value y = l.apply("MatMul", {rows, w}, {}, "/Tensordot/MatMul");
  return {finished(l, biased(l, l.apply("Reshape", {y, l.integers_value(shape, "/shape")}, {}, "/Tensordot"), 1))};
}

/// Sums of products as an equation names them: "abc,cd->abd". The file's bias has axes of one element where it is
/// repeated.
std::vector<Value> einsum_dense(Layer& l) {
  Value y = l.apply("Einsum", {l.x(), l.constant(l.weight("kernel", 0), "/kernel")},
                    {{"equation", text_attribute(l.text("equation"))}}, "/Einsum");
  if (!l.text("bias_axes").empty()) y = l.apply("AddV2", {y, l.constant(l.weight("bias", 1), "/bias")}, {}, "/add");
  return {finished(l, y)};
}

std::vector<Value> pool(Layer& l, const char* op) {
  const size_t planes = planes_of(l);
  const std::vector<int64_t> size = l.integers("pool_size", planes, 2);
  std::vector<int64_t> strides = size;
  if (const auto it = l.config().find("strides"); it != l.config().end() && !it->is_null())
    strides = l.integers("strides", planes, 2);
  const Value y = l.apply(op, {as_picture(l, l.x(), planes)},
                          with_layout(l, {{"ksize", integers_attribute(for_all_axes(l, size))},
                                          {"strides", integers_attribute(for_all_axes(l, strides))},
                                          {"padding", text_attribute(padding_of(l))}}));
  return {from_picture(l, y, planes)};
}
std::vector<Value> max_pool(Layer& l) { return pool(l, planes_of(l) == 3 ? "MaxPool3D" : "MaxPool"); }
std::vector<Value> average_pool(Layer& l) { return pool(l, planes_of(l) == 3 ? "AvgPool3D" : "AvgPool"); }

/// Into so many windows, which are alike where the size is a multiple of their number.
std::vector<Value> adaptive_pool(Layer& l, const char* op, const char* of_volumes) {
  const size_t planes = planes_of(l);
  const std::vector<int64_t> counts = l.integers("output_size", planes, 1);
  std::vector<int64_t> size;
  for (size_t i = 0; i < planes; ++i) {
    const int64_t whole = l.x().shape().at(i + (l.channels_last() ? 1 : 2));
    if (counts[i] < 1 || whole % counts[i] != 0)
      l.refuse("its windows overlap: " + std::to_string(whole) + " in " + std::to_string(counts[i]));
    size.push_back(whole / counts[i]);
  }
  const Value y = l.apply(planes == 3 ? of_volumes : op, {as_picture(l, l.x(), planes)},
                          with_layout(l, {{"ksize", integers_attribute(for_all_axes(l, size))},
                                          {"strides", integers_attribute(for_all_axes(l, size))},
                                          {"padding", text_attribute("VALID")}}));
  return {from_picture(l, y, planes)};
}
std::vector<Value> adaptive_average(Layer& l) { return adaptive_pool(l, "AvgPool", "AvgPool3D"); }
std::vector<Value> adaptive_maximum(Layer& l) { return adaptive_pool(l, "MaxPool", "MaxPool3D"); }

std::vector<Value> global_pool(Layer& l, const char* op) {
  const size_t planes = planes_of(l);
  std::vector<int64_t> axes;
  for (size_t i = 0; i < planes; ++i) axes.push_back(static_cast<int64_t>(i) + (l.channels_last() ? 1 : 2));
  return {l.apply(op, {l.x(), l.integers_value(axes, "/reduction_indices")},
                  {{"keep_dims", flag_attribute(l.flag("keepdims", false))}})};
}
std::vector<Value> global_average(Layer& l) { return global_pool(l, "Mean"); }
/// Of the steps that count, where there is a mask.
std::vector<Value> average_of_steps(Layer& l) {
  if (!l.mask) return global_average(l);
  if (!l.channels_last()) l.refuse("its steps are masked, and come last");
  const Value steps = l.integers_value({1}, "/axes");
  const NamedAttributes keep{{"keep_dims", flag_attribute(l.flag("keepdims", false))}},
      kept{{"keep_dims", flag_attribute(true)}};
  const Value column = l.apply("ExpandDims", {l.mask, l.integers_value({2}, "/axis")}, {}, "/mask");
  const Value sum = l.apply("Sum", {l.apply("Mul", {l.x(), column}, {}, "/masked"), steps}, keep, "/sum");
  Value count = l.apply("Sum", {l.mask, steps}, kept, "/count");
  if (l.flag("keepdims", false)) count = l.apply("ExpandDims", {count, l.integers_value({2}, "/axis")}, {}, "/counts");
  return {l.apply("RealDiv", {sum, count})};
}
std::vector<Value> global_maximum(Layer& l) { return global_pool(l, "Max"); }

// ---- normalizations ----

/// The axis that a configuration names, counted from the front.
int64_t axis_of(Layer& l, int64_t fallback) {
  const auto it = l.config().find("axis");
  int64_t a = fallback;
  if (it != l.config().end() && it->is_number()) a = it->get<int64_t>();
  if (it != l.config().end() && it->is_array() && it->size() == 1 && (*it)[0].is_number()) a = (*it)[0].get<int64_t>();
  return l.c.axis(a, l.c.rank());
}

std::vector<Value> batch_normalization(Layer& l) {
  const bool scale = l.flag("scale", true), centre = l.flag("center", true);
  const Tensor* gamma = scale ? l.find_weight("gamma", 0) : nullptr;
  const Tensor* beta = centre ? l.find_weight("beta", scale ? 1 : 0) : nullptr;
  const size_t given = (scale ? 1u : 0u) + (centre ? 1u : 0u);
  const Tensor& mean = l.weight("moving_mean", given);
  const Tensor& variance = l.weight("moving_variance", given + 1);
  const auto count = static_cast<size_t>(element_count(mean.shape));
  const Tensor ones = Tensor::of(ElementType::f32, mean.shape, std::vector<float>(count, 1)),
               zeros = Tensor::of(ElementType::f32, mean.shape, std::vector<float>(count, 0));
  const int64_t axis = axis_of(l, -1);
  NamedAttributes a{{"epsilon", real_attribute(static_cast<double>(static_cast<float>(l.real("epsilon", 1e-3))))},
                    {"is_training", flag_attribute(false)}};
  if (axis == 1 && l.c.rank() > 2) a["data_format"] = text_attribute("NCHW");
  if (axis != l.c.rank() - 1 && axis != 1) l.refuse("it normalises axis " + std::to_string(axis));
  return {l.apply("FusedBatchNormV3",
                  {l.x(), l.constant(gamma ? *gamma : ones, "/gamma"), l.constant(beta ? *beta : zeros, "/beta"),
                   l.constant(mean, "/moving_mean"), l.constant(variance, "/moving_variance")},
                  std::move(a))};
}

constexpr LayerRow kOperators[] = {
    {"Conv1D", "Conv2D", convolution},
    {"Conv2D", "Conv2D", convolution},
    {"Conv3D", "Conv3D", convolution},
    {"Convolution1D", "Conv2D", convolution},
    {"Convolution2D", "Conv2D", convolution},
    {"DepthwiseConv1D", "DepthwiseConv2dNative", depthwise},
    {"DepthwiseConv2D", "DepthwiseConv2dNative", depthwise},
    {"SeparableConv1D", "DepthwiseConv2dNative", separable},
    {"SeparableConv2D", "DepthwiseConv2dNative", separable},
    {"Conv1DTranspose", "Conv2DBackpropInput", transposed},
    {"Conv2DTranspose", "Conv2DBackpropInput", transposed},
    {"Conv3DTranspose", "Conv3DBackpropInputV2", transposed},
    {"Dense", "MatMul", dense},
    {"EinsumDense", "Einsum", einsum_dense},
    {"MaxPooling1D", "MaxPool", max_pool},
    {"MaxPooling2D", "MaxPool", max_pool},
    {"MaxPool", "MaxPool", max_pool},  // of keras.ops
    {"AveragePool", "AvgPool", average_pool},
    {"MaxPooling3D", "MaxPool3D", max_pool},
    {"AveragePooling1D", "AvgPool", average_pool},
    {"AveragePooling2D", "AvgPool", average_pool},
    {"AveragePooling3D", "AvgPool3D", average_pool},
    {"AdaptiveAveragePooling1D", "AvgPool", adaptive_average},
    {"AdaptiveAveragePooling2D", "AvgPool", adaptive_average},
    {"AdaptiveAveragePooling3D", "AvgPool3D", adaptive_average},
    {"AdaptiveMaxPooling1D", "MaxPool", adaptive_maximum},
    {"AdaptiveMaxPooling2D", "MaxPool", adaptive_maximum},
    {"AdaptiveMaxPooling3D", "MaxPool3D", adaptive_maximum},
    {"GlobalAveragePooling1D", "Mean", average_of_steps},
    {"GlobalAveragePooling2D", "Mean", global_average},
    {"GlobalAveragePooling3D", "Mean", global_average},
    {"GlobalMaxPooling1D", "Max", global_maximum},
    {"GlobalMaxPooling2D", "Max", global_maximum},
    {"GlobalMaxPooling3D", "Max", global_maximum},
    {"BatchNormalization", "FusedBatchNormV3", batch_normalization},
    {"BatchNormalizationV1", "FusedBatchNormV3", batch_normalization},
};

}  // namespace

std::span<const LayerRow> window_layers() { return kOperators; }

}  // namespace blobsmith::keras_import
