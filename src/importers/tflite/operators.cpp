// The table of TensorFlow Lite's operators. Numbers are fields of the option tables of the public schema.
#include <algorithm>

#include "graph/ops/numbers.hpp"
#include "importers/tflite/importer.hpp"
#include "importers/tflite/translator.hpp"

namespace blobsmith {
namespace tflite_import {
namespace {

using namespace tensorflow_file;

using T = Translator;

// ---- operators that TensorFlow has too, and their options ----

template <int kField = 0>
void element_wise(T& t, const char* op) {
  t.set_activated(op, t.inputs(), {}, t.options().byte(kField));
}
void add(T& t) {
  const int64_t activation = t.options().byte(0);
  t.set_activated("AddV2", t.inputs(), {}, activation ? activation : t.activation_of_range());
}
void subtract(T& t) { element_wise(t, "Sub"); }
void multiply(T& t) { element_wise(t, "Mul"); }
void divide(T& t) { element_wise(t, "RealDiv"); }

/// By the row's own name for it, without options.
void same(T& t);

std::string padding(T& t, int64_t number) {
  if (number != 0 && number != 1) t.refuse("its padding is number " + std::to_string(number));
  return number == 0 ? "SAME" : "VALID";
}

// ---- convolutions ----

/// Weights with their axes in another order; constants are turned here.
std::string reordered(T& t, size_t i, std::vector<int64_t> order) {
  return t.add("Transpose", {t.input(i), t.builder().integers(t.name() + "/weights_order", order)}, {}, "/weights");
}

void biased(T& t, const char* op, std::vector<std::string> inputs, NamedAttributes attributes, size_t bias,
            int64_t activation) {
  if (activation == T::kNone) activation = t.activation_of_range();
  if (!t.has_input(bias)) return t.set_activated(op, std::move(inputs), std::move(attributes), activation);
  const std::string y = t.add(op, std::move(inputs), std::move(attributes), "/WithoutBiases");
  t.set_activated("AddV2", {y, t.input(bias)}, {}, activation);
}

void convolution(T& t) {
  const auto& o = t.options();
  biased(t, "Conv2D", {t.input(0), reordered(t, 1, {1, 2, 3, 0})},
         {{"strides", integers_attribute({1, o.integer(2, 1), o.integer(1, 1), 1})},
          {"dilations", integers_attribute({1, o.integer(5, 1), o.integer(4, 1), 1})},
          {"padding", text_attribute(padding(t, o.byte(0)))}},
         2, o.byte(3));
}

NamedAttributes volume_attributes(T& t) {
  const auto& o = t.options();
  return {{"strides", integers_attribute({1, o.integer(1, 1), o.integer(3, 1), o.integer(2, 1), 1})},
          {"dilations", integers_attribute({1, o.integer(5, 1), o.integer(7, 1), o.integer(6, 1), 1})},
          {"padding", text_attribute(padding(t, o.byte(0)))}};
}
void volume_convolution(T& t) {
  biased(t, "Conv3D", {t.input(0), t.input(1)}, volume_attributes(t), 2, t.options().byte(4));
}
/// Inputs: shape of the result, weights, x.
void transposed_volume_convolution(T& t) {
  biased(t, "Conv3DBackpropInputV2", {t.input(0), t.input(1), t.input(2)}, volume_attributes(t), 3,
         t.options().byte(4));
}

/// Weights [1,H,W,C·M].
void depthwise(T& t) {
  const auto& o = t.options();
  const Shape& w = t.input_tensor(1).shape;
  const Shape& x = t.input_tensor(0).signature;
  if (w.size() != 4 || x.size() != 4) t.refuse("its weights have the shape " + to_string(w));
  const int64_t times = o.integer(3, 0), channels = x[3] < 1 && times > 0 ? w[3] / times : x[3];
  if (channels < 1 || w[3] % channels != 0) t.refuse("its weights have the shape " + to_string(w));
  const std::string weights =
      t.add("Reshape",
            {t.input(1), t.builder().integers(t.name() + "/weights_shape", {w[1], w[2], channels, w[3] / channels})},
            {}, "/weights");
  biased(t, "DepthwiseConv2dNative", {t.input(0), weights},
         {{"strides", integers_attribute({1, o.integer(2, 1), o.integer(1, 1), 1})},
          {"dilations", integers_attribute({1, o.integer(6, 1), o.integer(5, 1), 1})},
          {"padding", text_attribute(padding(t, o.byte(0)))}},
         2, o.byte(4));
}

/// Inputs: shape of the result, weights OHWI, x; newer files have a bias too.
void transposed_convolution(T& t) {
  const auto& o = t.options();
  biased(t, "Conv2DBackpropInput", {t.input(0), reordered(t, 1, {1, 2, 0, 3}), t.input(2)},
         {{"strides", integers_attribute({1, o.integer(2, 1), o.integer(1, 1), 1})},
          {"padding", text_attribute(padding(t, o.byte(0)))}},
         3, o.byte(3));
}

/// MediaPipe's: x, weights OHWI, bias; the options are padding, stride width and stride height.
void transposed_convolution_with_bias(T& t) {
  const Bytes& raw = t.op().custom_options;
  constexpr size_t kSize = 12;
  if (raw.size() < kSize) t.refuse("its options are not known");
  int32_t v[3];
  std::memcpy(v, raw.data(), kSize);
  if (v[0] < 1 || v[0] > 2 || v[1] < 1 || v[2] < 1) t.refuse("its options are not known");
  const std::string shape = t.builder().integers(t.name() + "/shape", t.output_tensor().shape);
  biased(
      t, "Conv2DBackpropInput", {shape, reordered(t, 1, {1, 2, 0, 3}), t.input(0)},
      {{"strides", integers_attribute({1, v[2], v[1], 1})}, {"padding", text_attribute(v[0] == 1 ? "SAME" : "VALID")}},
      2, 0);
}

/// The shape of the input with another width, where the file leaves it open.
std::string rows_of(T& t, int64_t width) {
  const auto indices = [&](const char* name, std::vector<int64_t> v) {
    return t.builder().integers(t.name() + name, v);
  };
  const std::string all = t.add("Shape", {t.input(0)}, {}, "/Shape");
  const std::string rows = t.add(
      "StridedSlice", {all, indices("/begin", {0}), indices("/end", {-1}), indices("/strides", {1})}, {}, "/rows");
  return t.add("ConcatV2", {rows, indices("/width", {width}), t.builder().integer(t.name() + "/axis", 0)}, {},
               "/shape");
}

/// x [.., I] times weights [O, I].
void fully_connected(T& t) {
  const auto& o = t.options();
  if (o.byte(1) != 0) t.refuse("its weights are shuffled");
  const Shape& w = t.input_tensor(1).shape;
  const Shape& x = t.input_tensor(0).shape;
  if (w.size() != 2) t.refuse("its weights have the shape " + to_string(w));
  std::string rows = t.input(0);
  if (x.size() != 2 || x[1] != w[1])
    rows = t.add("Reshape", {rows, t.builder().integers(t.name() + "/rows", {-1, w[1]})}, {}, "/flat");
  const NamedAttributes by_rows{{"transpose_b", flag_attribute(true)}};
  const Shape& y = t.output_tensor().signature;
  if (y.size() == 2) return biased(t, "MatMul", {rows, t.input(1)}, by_rows, 2, o.byte(0));
  std::string v = t.add("MatMul", {rows, t.input(1)}, by_rows, "/WithoutBiases");
  if (t.has_input(2)) v = t.add("AddV2", {v, t.input(2)}, {}, "/bias");
  const int64_t activation = o.byte(0) ? o.byte(0) : t.activation_of_range();
  t.set_activated("Reshape", {v, is_static(y) ? t.builder().integers(t.name() + "/shape", y) : rows_of(t, w[0])}, {},
                  activation);
}

// ---- pools, normalizations ----

NamedAttributes pool_attributes(T& t) {
  const auto& o = t.options();
  return {{"ksize", integers_attribute({1, o.integer(4, 1), o.integer(3, 1), 1})},
          {"strides", integers_attribute({1, o.integer(2, 1), o.integer(1, 1), 1})},
          {"padding", text_attribute(padding(t, o.byte(0)))}};
}
void pool(T& t, const char* op) { t.set_activated(op, {t.input(0)}, pool_attributes(t), t.options().byte(5)); }
/// The root of the mean of squares.
void l2_pool(T& t) {
  const std::string mean =
      t.add("AvgPool", {t.add("Square", {t.input(0)}, {}, "/Square")}, pool_attributes(t), "/AvgPool");
  t.set_activated("Sqrt", {mean}, {}, t.options().byte(5));
}
void max_pool(T& t) { pool(t, "MaxPool"); }
void average_pool(T& t) { pool(t, "AvgPool"); }

/// Of the last axis.
void l2_normalization(T& t) {
  const std::string x = t.input(0);
  const auto rank = static_cast<int64_t>(t.input_tensor(0).shape.size());
  const std::string sum =
      t.add("Sum", {t.add("Square", {x}, {}, "/Square"), t.builder().integers(t.name() + "/axes", {rank - 1})},
            {{"keep_dims", flag_attribute(true)}}, "/Sum");
  const std::string eps =
      t.builder().constant(t.name() + "/eps", Tensor::of(ElementType::f32, {}, std::vector<float>{1e-6f}));
  const std::string root = t.add("Rsqrt", {t.add("Maximum", {sum, eps}, {}, "/Maximum")}, {}, "/Rsqrt");
  t.set_activated("Mul", {x, root}, {}, t.options().byte(0));
}

void local_response(T& t) {
  const auto& o = t.options();
  t.set_output(t.add("LRN", {t.input(0)},
                     {{"depth_radius", integer_attribute(o.integer(0))},
                      {"bias", real_attribute(o.real(1))},
                      {"alpha", real_attribute(o.real(2))},
                      {"beta", real_attribute(o.real(3))}}));
}

void softmax(T& t) {
  const double beta = t.options().real(0, 1);
  std::string x = t.input(0);
  if (beta != 1) {
    const Tensor factor = Tensor::of(ElementType::f32, {}, std::vector<float>{static_cast<float>(beta)});
    x = t.add("Mul", {x, t.builder().constant(t.name() + "/beta", factor)}, {}, "/scaled");
  }
  t.set_output(t.add("Softmax", {x}));
}

// ---- activations ----

void hard_swish(T& t) {
  const std::string x = t.input(0);
  const auto number = [&](const char* suffix, float v) {
    return t.builder().constant(t.name() + suffix, Tensor::of(ElementType::f32, {}, std::vector<float>{v}));
  };
  const std::string gate = t.add("Relu6", {t.add("AddV2", {x, number("/three", 3)}, {}, "/add")}, {}, "/Relu6");
  const std::string product = t.add("Mul", {x, gate}, {}, "/product");
  t.set_output(t.add("Mul", {product, number("/sixth", 1.0f / 6)}));
}

void clamp(T& t, float low, float high) {
  const auto number = [&](const char* suffix, float v) {
    return t.builder().constant(t.name() + suffix, Tensor::of(ElementType::f32, {}, std::vector<float>{v}));
  };
  t.set_output(
      t.add("Maximum", {t.add("Minimum", {t.input(0), number("/high", high)}, {}, "/Minimum"), number("/low", low)}));
}
void relu_n1_to_1(T& t) { clamp(t, -1, 1); }
void relu_0_to_1(T& t) { clamp(t, 0, 1); }

void leaky_relu(T& t) {
  t.set_output(t.add("LeakyRelu", {t.input(0)}, {{"alpha", real_attribute(t.options().real(0))}}));
}

/// Slopes of any shape that is broadcast: relu(x) - a · relu(-x).
void parametric_relu(T& t) {
  const std::string x = t.input(0);
  const std::string negative = t.add("Relu", {t.add("Neg", {x}, {}, "/Neg")}, {}, "/Relu_1");
  const std::string scaled = t.add("Mul", {t.add("Neg", {t.input(1)}, {}, "/slope"), negative}, {}, "/mul");
  t.set_output(t.add("AddV2", {t.add("Relu", {x}, {}, "/Relu"), scaled}));
}

void gelu(T& t) {
  const bool approximate = t.options().byte(0) != 0;
  t.set_output(t.add("Gelu", {t.input(0)}, {{"approximate", flag_attribute(approximate)}}));
}

// ---- shapes ----

void reshape(T& t) {
  // The result's shape is stated in the file; the input or option that it comes from may be missing.
  std::vector<int64_t> shape = t.output_tensor().shape;
  if (t.has_input(1) && t.builder().is_constant(t.input(1)))
    shape = t.constant(1, "shape").to_i64();
  else if (t.has_input(1) && !is_static(t.output_tensor().signature))
    return t.set_output(t.add("Reshape", {t.input(0), t.input(1)}));
  else if (!t.has_input(1) && !t.options().integers(0).empty())
    shape = t.options().integers(0);
  t.set_output(t.add("Reshape", {t.input(0), t.builder().integers(t.name() + "/shape", shape)}));
}

void squeeze(T& t) {
  t.set_output(t.add("Squeeze", {t.input(0)}, {{"squeeze_dims", integers_attribute(t.options().integers(0))}}));
}

void concatenation(T& t) {
  std::vector<std::string> parts = t.inputs();
  parts.push_back(t.builder().integer(t.name() + "/axis", t.options().integer(0)));
  t.set_activated("ConcatV2", std::move(parts), {}, t.options().byte(1));
}

void pack(T& t) { t.set_output(t.add("Pack", t.inputs(), {{"axis", integer_attribute(t.options().integer(1))}})); }
void unpack(T& t) {
  const size_t count = t.op().outputs.size();
  t.set_outputs(t.add("Unpack", {t.input(0)},
                      {{"axis", integer_attribute(t.options().integer(1))},
                       {"num", integer_attribute(static_cast<int64_t>(count))}},
                      {}, count),
                count);
}
void split(T& t) {
  const size_t count = t.op().outputs.size();
  t.set_outputs(t.add("Split", {t.input(0), t.input(1)},
                      {{"num_split", integer_attribute(static_cast<int64_t>(count))}}, {}, count),
                count);
}
void split_v(T& t) { t.set_outputs(t.add("SplitV", t.inputs(), {}, {}, t.op().outputs.size()), t.op().outputs.size()); }

void strided_slice(T& t) {
  const auto& o = t.options();
  t.set_output(t.add("StridedSlice", t.inputs(),
                     {{"begin_mask", integer_attribute(o.integer(0))},
                      {"end_mask", integer_attribute(o.integer(1))},
                      {"ellipsis_mask", integer_attribute(o.integer(2))},
                      {"new_axis_mask", integer_attribute(o.integer(3))},
                      {"shrink_axis_mask", integer_attribute(o.integer(4))}}));
}

void mirror_pad(T& t) {
  t.set_output(
      t.add("MirrorPad", t.inputs(), {{"mode", text_attribute(t.options().byte(0) == 0 ? "REFLECT" : "SYMMETRIC")}}));
}

void reduce(T& t, const char* op) {
  t.set_output(t.add(op, t.inputs(), {{"keep_dims", flag_attribute(t.options().byte(0) != 0)}}));
}
void mean(T& t) { reduce(t, "Mean"); }
void sum(T& t) { reduce(t, "Sum"); }
void product(T& t) { reduce(t, "Prod"); }
void largest(T& t) { reduce(t, "Max"); }
void least(T& t) { reduce(t, "Min"); }
void any(T& t) { reduce(t, "Any"); }
void all(T& t) { reduce(t, "All"); }

void gather(T& t) {
  t.set_output(t.add("GatherV2",
                     {t.input(0), t.input(1), t.builder().integer(t.name() + "/axis", t.options().integer(0))},
                     {{"batch_dims", integer_attribute(t.options().integer(1))}}));
}

/// Inputs: indices, table.
void embedding(T& t) {
  t.set_output(t.add("GatherV2", {t.input(1), t.input(0), t.builder().integer(t.name() + "/axis", 0)}));
}

void top_k(T& t) { t.set_outputs(t.add("TopKV2", t.inputs(), {}, {}, 2), 2); }
void one_hot(T& t) { t.set_output(t.add("OneHot", t.inputs(), {{"axis", integer_attribute(t.options().integer(0))}})); }
void running_sum(T& t) {
  t.set_output(t.add("Cumsum", t.inputs(),
                     {{"exclusive", flag_attribute(t.options().byte(0) != 0)},
                      {"reverse", flag_attribute(t.options().byte(1) != 0)}}));
}
void reverse_sequence(T& t) {
  t.set_output(t.add("ReverseSequence", t.inputs(),
                     {{"seq_dim", integer_attribute(t.options().integer(0))},
                      {"batch_dim", integer_attribute(t.options().integer(1))}}));
}
void batch_mat_mul(T& t) {
  t.set_output(t.add(
      "BatchMatMulV2", t.inputs(),
      {{"adj_x", flag_attribute(t.options().byte(0) != 0)}, {"adj_y", flag_attribute(t.options().byte(1) != 0)}}));
}

// ---- pictures ----

void resize(T& t, const char* op, int corners) {
  t.set_output(t.add(op, t.inputs(),
                     {{"align_corners", flag_attribute(t.options().byte(corners) != 0)},
                      {"half_pixel_centers", flag_attribute(t.options().byte(corners + 1) != 0)}}));
}
void resize_bilinear(T& t) { resize(t, "ResizeBilinear", 2); }
void resize_nearest(T& t) { resize(t, "ResizeNearestNeighbor", 0); }
void space_to_depth(T& t) {
  t.set_output(t.add("SpaceToDepth", t.inputs(), {{"block_size", integer_attribute(t.options().integer(0))}}));
}
void depth_to_space(T& t) {
  t.set_output(t.add("DepthToSpace", t.inputs(), {{"block_size", integer_attribute(t.options().integer(0))}}));
}

// ---- sequences ----

/// Inputs: x; weights of input, forget, cell and output gate for x, the same for h; three peepholes; four biases; a
/// projection and its bias; the states, which are zero at the beginning; four layer normalizations. Absent ones are -1.
void sequence_lstm(T& t) {
  constexpr size_t kInputWeights = 1, kStateWeights = 5, kPeepholes = 9, kBiases = 12, kProjection = 16, kNorms = 20;
  const auto refuse_any = [&](size_t from, size_t count, const char* what) {
    for (size_t i = from; i < from + count; ++i)
      if (t.has_input(i)) t.refuse(std::string("it has ") + what);
  };
  refuse_any(kPeepholes, 3, "peepholes");
  refuse_any(kProjection, 2, "a projection");
  refuse_any(kNorms, 4, "layer normalizations");
  const auto& o = t.options();
  if (o.byte(0) != 4) t.refuse("its activation is not tanh");
  const bool time_first = o.byte(3) != 0;
  const Shape& x = t.input_tensor(0).shape;
  const Shape& y = t.output_tensor().shape;
  if (x.size() != 3 || y.size() != 3 || x[2] < 1 || y[2] < 1) t.refuse("its input has the shape " + to_string(x));
  const int64_t batch = x[time_first ? 1 : 0], width = x[2], hidden = y[2];
  // One matrix [I + H, 4H] of gates input, cell, forget, output.
  constexpr size_t kGates[] = {0, 2, 1, 3};
  std::vector<float> w(static_cast<size_t>((width + hidden) * 4 * hidden)), b(static_cast<size_t>(4 * hidden));
  for (size_t gate = 0; gate < 4; ++gate) {
    if (!t.has_input(kInputWeights)) t.refuse("its input gate is coupled to the forget gate");
    const auto put = [&](size_t input, int64_t from, int64_t rows) {
      const Tensor& part = t.constant(input, "weights");
      if (part.shape != Shape{hidden, rows}) t.refuse("its weights have the shape " + to_string(part.shape));
      const std::vector<float> v = part.to_f32();
      for (int64_t h = 0; h < hidden; ++h)
        for (int64_t i = 0; i < rows; ++i)
          w[static_cast<size_t>(((from + i) * 4 + static_cast<int64_t>(gate)) * hidden + h)] =
              v[static_cast<size_t>(h * rows + i)];
    };
    put(kInputWeights + kGates[gate], 0, width);
    put(kStateWeights + kGates[gate], width, hidden);
    if (!t.has_input(kBiases + kGates[gate])) continue;
    const std::vector<float> v = t.constant(kBiases + kGates[gate], "bias").to_f32();
    if (std::ssize(v) != hidden) t.refuse("its bias is of " + std::to_string(v.size()) + " numbers");
    std::ranges::copy(v, b.begin() + static_cast<std::ptrdiff_t>(gate) * hidden);
  }
  const auto constant = [&](const char* suffix, Shape shape, std::vector<float> v) {
    return t.builder().constant(t.name() + suffix, Tensor::of(ElementType::f32, std::move(shape), std::move(v)));
  };
  const std::string state =
      constant("/state", {batch, hidden}, std::vector<float>(static_cast<size_t>(batch * hidden), 0));
  const std::string none = constant("/peephole", {hidden}, std::vector<float>(static_cast<size_t>(hidden), 0));
  const std::string sequence = t.add("BlockLSTM",
                                     {t.builder().integer(t.name() + "/length", x[time_first ? 0 : 1]), t.input(0),
                                      state, state, constant("/weights", {width + hidden, 4 * hidden}, std::move(w)),
                                      none, none, none, constant("/bias", {4 * hidden}, std::move(b))},
                                     {{"forget_bias", real_attribute(0)},
                                      {"cell_clip", real_attribute(o.real(1))},
                                      {"time_axis", integer_attribute(time_first ? 0 : 1)}},
                                     "", 7);
  t.set_output(SourceBuilder::output(sequence, 6));
}

// ---- control flow: functions are other graphs of the file ----

void run_functions(T& t, const char* op, const char* first, const char* second) {
  const size_t count = t.op().outputs.size();
  t.set_outputs(t.add(op, t.inputs(),
                      {{first, text_attribute(t.function(t.options().integer(0)))},
                       {second, text_attribute(t.function(t.options().integer(1)))}},
                      {}, count),
                count);
}
void while_loop(T& t) { run_functions(t, "While", "cond", "body"); }
void branch(T& t) { run_functions(t, "If", "then_branch", "else_branch"); }

// ---- types ----

void cast(T& t) {
  const auto type = t.output_tensor().type;
  if (!type) t.refuse("it casts to a type that is not supported");
  t.set_output(t.add("Cast", {t.input(0)}, {{"DstT", type_attribute(*type)}}));
}

// ---- variables: their first values, which another graph of the file assigns once, are the user's to give ----

void call_once(T&) {}
void var_handle(T& t) { t.declare_variable(t.options().text(1)); }
void read_variable(T& t) { t.read_variable(); }
void assign_variable(T& t) { t.assign_variable(); }

/// The levels of quantisation are left out; sparse constants got their zeros when they were read.
void unchanged(T& t) { t.set_output(t.input(0)); }
void quantise(T& t) { t.set_quantised(); }
void fake_quantisation(T& t) {
  const float low = t.options().real(0), high = t.options().real(1);
  low < high ? t.set_limited(t.input(0), low, high) : unchanged(t);
}

constexpr OperatorRow kOperators[] = {
    // number, name, operator of TensorFlow, translation
    {0, "ADD", "AddV2", add},
    {1, "AVERAGE_POOL_2D", "AvgPool", average_pool},
    {2, "CONCATENATION", "ConcatV2", concatenation},
    {3, "CONV_2D", "Conv2D", convolution},
    {4, "DEPTHWISE_CONV_2D", "DepthwiseConv2dNative", depthwise},
    {5, "DEPTH_TO_SPACE", "DepthToSpace", depth_to_space},
    {6, "DEQUANTIZE", "", unchanged},
    {7, "EMBEDDING_LOOKUP", "GatherV2", embedding},
    {8, "FLOOR", "Floor", same},
    {9, "FULLY_CONNECTED", "MatMul", fully_connected},
    {11, "L2_NORMALIZATION", "Mul", l2_normalization},
    {12, "L2_POOL_2D", "AvgPool", l2_pool},
    {13, "LOCAL_RESPONSE_NORMALIZATION", "LRN", local_response},
    {14, "LOGISTIC", "Sigmoid", same},
    {17, "MAX_POOL_2D", "MaxPool", max_pool},
    {18, "MUL", "Mul", multiply},
    {19, "RELU", "Relu", same},
    {20, "RELU_N1_TO_1", "Maximum", relu_n1_to_1},
    {21, "RELU6", "Relu6", same},
    {22, "RESHAPE", "Reshape", reshape},
    {23, "RESIZE_BILINEAR", "ResizeBilinear", resize_bilinear},
    {25, "SOFTMAX", "Softmax", softmax},
    {26, "SPACE_TO_DEPTH", "SpaceToDepth", space_to_depth},
    {28, "TANH", "Tanh", same},
    {34, "PAD", "Pad", same},
    {36, "GATHER", "GatherV2", gather},
    {37, "BATCH_TO_SPACE_ND", "BatchToSpaceND", same},
    {38, "SPACE_TO_BATCH_ND", "SpaceToBatchND", same},
    {39, "TRANSPOSE", "Transpose", same},
    {40, "MEAN", "Mean", mean},
    {41, "SUB", "Sub", subtract},
    {42, "DIV", "RealDiv", divide},
    {43, "SQUEEZE", "Squeeze", squeeze},
    {44, "UNIDIRECTIONAL_SEQUENCE_LSTM", "BlockLSTM", sequence_lstm},
    {45, "STRIDED_SLICE", "StridedSlice", strided_slice},
    {47, "EXP", "Exp", same},
    {48, "TOPK_V2", "TopKV2", top_k},
    {49, "SPLIT", "Split", split},
    {50, "LOG_SOFTMAX", "LogSoftmax", same},
    {53, "CAST", "Cast", cast},
    {54, "PRELU", "Relu", parametric_relu},
    {55, "MAXIMUM", "Maximum", same},
    {56, "ARG_MAX", "ArgMax", same},
    {57, "MINIMUM", "Minimum", same},
    {58, "LESS", "Less", same},
    {59, "NEG", "Neg", same},
    {60, "PADV2", "PadV2", same},
    {61, "GREATER", "Greater", same},
    {62, "GREATER_EQUAL", "GreaterEqual", same},
    {63, "LESS_EQUAL", "LessEqual", same},
    {64, "SELECT", "Select", same},
    {65, "SLICE", "Slice", same},
    {66, "SIN", "Sin", same},
    {67, "TRANSPOSE_CONV", "Conv2DBackpropInput", transposed_convolution},
    {69, "TILE", "Tile", same},
    {70, "EXPAND_DIMS", "ExpandDims", same},
    {71, "EQUAL", "Equal", same},
    {72, "NOT_EQUAL", "NotEqual", same},
    {73, "LOG", "Log", same},
    {74, "SUM", "Sum", sum},
    {75, "SQRT", "Sqrt", same},
    {76, "RSQRT", "Rsqrt", same},
    {77, "SHAPE", "Shape", same},
    {78, "POW", "Pow", same},
    {79, "ARG_MIN", "ArgMin", same},
    {80, "FAKE_QUANT", "", fake_quantisation},
    {81, "REDUCE_PROD", "Prod", product},
    {82, "REDUCE_MAX", "Max", largest},
    {83, "PACK", "Pack", pack},
    {84, "LOGICAL_OR", "LogicalOr", same},
    {85, "ONE_HOT", "OneHot", one_hot},
    {86, "LOGICAL_AND", "LogicalAnd", same},
    {87, "LOGICAL_NOT", "LogicalNot", same},
    {88, "UNPACK", "Unpack", unpack},
    {89, "REDUCE_MIN", "Min", least},
    {90, "FLOOR_DIV", "FloorDiv", same},
    {91, "REDUCE_ANY", "Any", any},
    {92, "SQUARE", "Square", same},
    {93, "ZEROS_LIKE", "ZerosLike", same},
    {94, "FILL", "Fill", same},
    {95, "FLOOR_MOD", "FloorMod", same},
    {96, "RANGE", "Range", same},
    {97, "RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighbor", resize_nearest},
    {98, "LEAKY_RELU", "LeakyRelu", leaky_relu},
    {99, "SQUARED_DIFFERENCE", "SquaredDifference", same},
    {100, "MIRROR_PAD", "MirrorPad", mirror_pad},
    {101, "ABS", "Abs", same},
    {102, "SPLIT_V", "SplitV", split_v},
    {104, "CEIL", "Ceil", same},
    {105, "REVERSE_V2", "ReverseV2", same},
    {106, "ADD_N", "AddN", same},
    {107, "GATHER_ND", "GatherNd", same},
    {108, "COS", "Cos", same},
    {110, "RANK", "Rank", same},
    {111, "ELU", "Elu", same},
    {112, "REVERSE_SEQUENCE", "ReverseSequence", reverse_sequence},
    {114, "QUANTIZE", "", quantise},
    {116, "ROUND", "Round", same},
    {117, "HARD_SWISH", "Mul", hard_swish},
    {118, "IF", "If", branch},
    {119, "WHILE", "While", while_loop},
    {122, "SCATTER_ND", "ScatterNd", same},
    {123, "SELECT_V2", "SelectV2", same},
    {124, "DENSIFY", "", unchanged},
    {126, "BATCH_MATMUL", "BatchMatMulV2", batch_mat_mul},
    {128, "CUMSUM", "Cumsum", running_sum},
    {129, "CALL_ONCE", "", call_once},
    {130, "BROADCAST_TO", "BroadcastTo", same},
    {132, "CONV_3D", "Conv3D", volume_convolution},
    {140, "REDUCE_ALL", "All", all},
    {141, "CONV_3D_TRANSPOSE", "Conv3DBackpropInputV2", transposed_volume_convolution},
    {142, "VAR_HANDLE", "", var_handle},
    {143, "READ_VARIABLE", "", read_variable},
    {144, "ASSIGN_VARIABLE", "", assign_variable},
    {150, "GELU", "Gelu", gelu},
    {151, "DYNAMIC_UPDATE_SLICE", "XlaDynamicUpdateSlice", same},
    {152, "RELU_0_TO_1", "Maximum", relu_0_to_1},
    {156, "ATAN2", "Atan2", same},
    {158, "SIGN", "Sign", same},
    {tflite_file::kCustom, "TFLite_Detection_PostProcess", "DetectionOutput", detection_postprocess},
    {tflite_file::kCustom, "Convolution2DTransposeBias", "Conv2DBackpropInput", transposed_convolution_with_bias},
};

void same(T& t) {
  const auto* row = std::ranges::find(kOperators, t.op().code, &OperatorRow::code);
  t.set_output(t.add(std::string(row->becomes), t.inputs()));
}

}  // namespace

std::span<const OperatorRow> operator_rows() { return kOperators; }

}  // namespace tflite_import

std::map<std::string_view, std::string_view> tflite_operators() {
  std::map<std::string_view, std::string_view> all;
  for (const tflite_import::OperatorRow& row : tflite_import::operator_rows()) all[row.name] = row.becomes;
  return all;
}

}  // namespace blobsmith
