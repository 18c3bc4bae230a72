// Attention of one or several heads, and normalization by groups of channels.
#include <algorithm>
#include <cmath>

#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {
namespace {

constexpr float kMasked = -1e9F;

/// Names of arguments that are tensors, in the order in which they stand behind those without a name.
std::vector<std::string> named_tensors(Layer& l) {
  std::vector<std::string> names;
  for (const auto& [key, j] : l.arguments().items()) {
    const bool in_place = j.is_array() && j.size() >= 3 && j[0].is_string();
    if (key != "args" && key != "mask" && (in_place || (j.is_object() && j.contains("config")))) names.push_back(key);
  }
  return names;
}

struct Operands {
  Value query, value, key;
};

/// query, value and key, the last of which may be left out; masks are refused.
Operands operands_of(Layer& l) {
  const std::vector<std::string> named = named_tensors(l);
  const size_t given = l.c.input_count();
  if (named.size() > given) l.refuse("its arguments are not known");
  std::optional<Value> found[3];
  constexpr const char* kNames[] = {"query", "value", "key"};
  for (size_t i = 0; i + named.size() < given && i < 3; ++i) found[i] = l.c.input(i);
  for (size_t i = 0; i < named.size(); ++i) {
    const auto* name = std::ranges::find(kNames, named[i]);
    if (name == std::end(kNames)) l.refuse("its argument '" + named[i] + "' is not supported");
    found[name - kNames] = l.c.input(given - named.size() + i);
  }
  if (!found[0] || !found[1]) l.refuse("its query or value is not known");
  const Operands o{*found[0], *found[1], found[2].value_or(*found[1])};
  for (const Value& v : {o.query, o.value, o.key})
    if (v.shape().size() != 3 || !is_static(v.shape()))
      l.refuse("one of its inputs has the shape " + to_string(v.shape()));
  const Json& a = l.arguments();
  if (a.value("return_attention_scores", Json(false)) == Json(true)) l.refuse("it returns its scores");
  return o;
}

bool is_causal(Layer& l) {
  return l.flag("causal", false) || l.arguments().value("use_causal_mask", Json(false)) == Json(true);
}

/// softmax(scores) times values; scores [.., T, S], values [.., S, V].
Value attend(Layer& l, Value scores, Value values, const std::string& suffix) {
  if (is_causal(l)) {
    const Shape& s = scores.shape();
    const int64_t t = s[s.size() - 2], n = s.back();
    std::vector<float> mask;
    for (int64_t i = 0; i < t; ++i)
      for (int64_t j = 0; j < n; ++j) mask.push_back(j > i ? kMasked : 0);
    Shape shape(s.size(), 1);
    shape[s.size() - 2] = t;
    shape.back() = n;
    scores = l.apply("AddV2", {scores, l.constant(Tensor::of(ElementType::f32, shape, std::move(mask)), "/mask")}, {},
                     "/masked");
  }
  return l.apply("BatchMatMulV2", {l.apply("Softmax", {scores}, {}, "/Softmax"), values}, {}, suffix);
}

Value scores_of(Layer& l, Value query, Value key) {
  return l.apply("BatchMatMulV2", {query, key}, {{"adj_y", flag_attribute(true)}}, "/scores");
}

std::vector<Value> attention(Layer& l) {
  const Operands o = operands_of(l);
  if (l.text("score_mode", "dot") != "dot") l.refuse("score_mode is '" + l.text("score_mode") + "'");
  Value scores = scores_of(l, o.query, o.key);
  if (l.flag("use_scale", false))
    scores = l.apply("Mul", {scores, l.constant(l.weight("scale", 0), "/scale")}, {}, "/scaled");
  return {attend(l, scores, o.value, "")};
}

/// Scores are sums over tanh(query + key).
std::vector<Value> additive_attention(Layer& l) {
  const Operands o = operands_of(l);
  const Value rows = l.apply("ExpandDims", {o.query, l.integers_value({2}, "/row_axis")}, {}, "/rows"),
              columns = l.apply("ExpandDims", {o.key, l.integers_value({1}, "/column_axis")}, {}, "/columns");
  Value v = l.apply("Tanh", {l.apply("AddV2", {rows, columns}, {}, "/sums")}, {}, "/Tanh");
  if (l.flag("use_scale", true)) v = l.apply("Mul", {v, l.constant(l.weight("scale", 0), "/scale")}, {}, "/scaled");
  return {attend(l, l.apply("Sum", {v, l.integers_value({3}, "/axis")}, {}, "/scores"), o.value, "")};
}

/// The weights of an inner dense layer: "query/kernel", "query_dense/0", or "_query_dense/0" of Keras 2's .keras files.
const Tensor* inner_weight(Layer& l, const std::string& layer, const std::string& older, const char* name,
                           size_t number) {
  if (const Tensor* t = l.find_exactly(older + "/" + name)) return t;
  if (const Tensor* t = l.find_exactly(layer + "/" + std::to_string(number))) return t;
  return l.find_exactly("_" + layer + "/" + std::to_string(number));
}

/// Rows times a kernel of `in` axes that are summed over, [T, D] to [T, count].
Value projected(Layer& l, Value x, const std::string& older, Shape result) {
  const std::string layer = older == "attention_output" ? "output_dense" : older + "_dense";
  const Tensor *kernel = inner_weight(l, layer, older, "kernel", 0), *bias = inner_weight(l, layer, older, "bias", 1);
  if (!kernel) l.refuse("the weights of its " + older + " are not in the file");
  const int64_t width = x.shape().back(), count = element_count(kernel->shape) / std::max<int64_t>(width, 1);
  if (width * count != element_count(kernel->shape) || (bias && element_count(bias->shape) != count))
    l.refuse("its weights have the shape " + to_string(kernel->shape));
  const std::string at = "/" + older;
  Tensor matrix = *kernel;
  matrix.shape = {width, count};
  const Value rows = l.apply("Reshape", {x, l.integers_value({-1, width}, at + "/rows_shape")}, {}, at + "/rows");
  Value y = l.apply("MatMul", {rows, l.constant(matrix, at + "/kernel")}, {}, at + "/MatMul");
  if (bias) {
    Tensor flat = *bias;
    flat.shape = {count};
    y = l.apply("BiasAdd", {y, l.constant(flat, at + "/bias")}, {}, at + "/BiasAdd");
  }
  return l.apply("Reshape", {y, l.integers_value(result, at + "/shape")}, {}, older == "attention_output" ? "" : at);
}

std::vector<Value> multi_head_attention(Layer& l) {
  const Operands o = operands_of(l);
  const int64_t heads = l.integer("num_heads", 1), width = l.integer("key_dim", 1),
                value_width = l.integer("value_dim", width);
  if (heads < 1 || width < 1 || value_width < 1) l.refuse("it has no heads");
  if (l.flag("use_gate", false) || (l.config().contains("sliding_window") && !l.config()["sliding_window"].is_null()))
    l.refuse("it has a gate or a window");
  const int64_t batch = o.query.shape()[0];
  const auto by_heads = [&](Value x, const char* name, int64_t size) {
    const Value y = projected(l, x, name, {batch, x.shape()[1], heads, size});
    return l.apply("Transpose", {y, l.integers_value({0, 2, 1, 3}, std::string("/") + name + "/order")}, {},
                   std::string("/") + name + "/heads");
  };
  const Value query =
      l.apply("Mul", {by_heads(o.query, "query", width), l.number(1 / std::sqrt(static_cast<double>(width)), "/scale")},
              {}, "/scaled");
  const Value scores = scores_of(l, query, by_heads(o.key, "key", width));
  const Value heads_out = attend(l, scores, by_heads(o.value, "value", value_width), "/heads");
  const Value together = l.apply("Transpose", {heads_out, l.integers_value({0, 2, 1, 3}, "/order")}, {}, "/together");
  const int64_t steps = o.query.shape()[1];
  const Value flat =
      l.apply("Reshape", {together, l.integers_value({batch, steps, heads * value_width}, "/flat_shape")}, {}, "/flat");
  const Tensor* bias = inner_weight(l, "output_dense", "attention_output", "bias", 1);
  const Tensor* kernel = inner_weight(l, "output_dense", "attention_output", "kernel", 0);
  if (!kernel) l.refuse("the weights of its output are not in the file");
  const int64_t out = bias ? element_count(bias->shape) : element_count(kernel->shape) / (heads * value_width);
  return {projected(l, flat, "attention_output", {batch, steps, out})};
}

/// Channels of one group and all of the plane have one mean and variance.
std::vector<Value> group_normalization(Layer& l) {
  const Shape s = l.x().shape();
  const auto rank = std::ssize(s);
  if (rank < 2 || !is_static(s) || l.c.axis(l.integer("axis", -1), rank) != rank - 1)
    l.refuse("it normalises other axes than the last");
  const int64_t channels = s.back(), stated = l.integer("groups", 32), groups = stated == -1 ? channels : stated;
  if (groups < 1 || channels % groups != 0) l.refuse("its channels are not divisible by its groups");
  std::vector<int64_t> to_front{0, rank - 1}, to_back{0};
  for (int64_t i = 1; i + 1 < rank; ++i) to_front.push_back(i);
  for (int64_t i = 2; i < rank; ++i) to_back.push_back(i);
  to_back.push_back(1);
  Shape in_front;
  for (const int64_t a : to_front) in_front.push_back(s[static_cast<size_t>(a)]);
  Value x = l.apply("Transpose", {l.x(), l.integers_value(to_front, "/to_front")}, {}, "/channels_first");
  x = l.apply("Reshape", {x, l.integers_value({s[0], groups, -1}, "/groups_shape")}, {}, "/groups");
  const Value axis = l.integers_value({2}, "/axis");
  const auto mean = [&](Value v, const std::string& suffix) {
    return l.apply("Mean", {v, axis}, {{"keep_dims", flag_attribute(true)}}, suffix);
  };
  const Value centre = mean(x, "/mean"),
              variance = mean(l.apply("SquaredDifference", {x, centre}, {}, "/squares"), "/variance");
  const Value root = l.apply(
      "Rsqrt", {l.apply("AddV2", {variance, l.number(l.real("epsilon", 1e-3), "/epsilon")}, {}, "/add")}, {}, "/Rsqrt");
  Value y = l.apply("Mul", {l.apply("Sub", {x, centre}, {}, "/centred"), root}, {}, "/normalised");
  y = l.apply("Reshape", {y, l.integers_value(in_front, "/front_shape")}, {}, "/front");
  y = l.apply("Transpose", {y, l.integers_value(to_back, "/to_back")}, {}, "/channels_last");
  const bool scale = l.flag("scale", true), center = l.flag("center", true);
  if (scale) y = l.apply("Mul", {y, l.constant(l.weight("gamma", 0), "/gamma")}, {}, center ? "/scaled" : "");
  if (center) y = l.apply("AddV2", {y, l.constant(l.weight("beta", scale ? 1 : 0), "/beta")});
  return {y};
}

constexpr LayerRow kOperators[] = {
    {"Attention", "BatchMatMulV2", attention},
    {"AdditiveAttention", "BatchMatMulV2", additive_attention},
    {"MultiHeadAttention", "BatchMatMulV2", multi_head_attention},
    {"GroupNormalization", "Mul", group_normalization},
};

}  // namespace

std::span<const LayerRow> attention_layers() { return kOperators; }

}  // namespace blobsmith::keras_import
