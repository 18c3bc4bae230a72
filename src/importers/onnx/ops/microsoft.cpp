// The domain com.microsoft: what ONNX Runtime's optimizer and quantizer make of models. No operators of Model
// Optimizer, nor of the importer inside Intel's compiler.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"
#include "importers/onnx/quantized_steps.hpp"
#include "importers/onnx/window.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

constexpr double kLeastScore = -30000;  ///< minus infinity in a sum of masks

// ---- products and convolutions with more behind them ----------------------------------------------------------------

Value activated(Context& c, Steps& s, Value x, const std::string& name) {
  const std::vector<float> given = c.reals("activation_params");
  const auto number = [&](size_t i, float fallback) {
    return static_cast<double>(i < given.size() ? given[i] : fallback);
  };
  if (name.empty()) return x;
  if (name == "Relu" || name == "Sigmoid" || name == "Tanh") return s.make(name, {x});
  if (name == "LeakyRelu") {
    const double slope = c.has("activation_alpha") ? c.real("activation_alpha", 0.01f) : number(0, 0.01f);
    return s.make("PRelu", {x, c.number_constant(x.type(), {1}, slope)});
  }
  if (name == "Clip") return s.clamp(x, number(0, -3.4e38f), number(1, 3.4e38f));
  if (name == "HardSigmoid") return s.clamp(s.add(s.multiply(x, number(0, 0.2f)), number(1, 0.5f)), 0, 1);
  if (name == "HardSwish") return s.make("HSwish", {x});
  c.refuse("activation '" + name + "' is not supported");
}

/// An operand whose batch lies behind the first axis: [rows, batch, columns] becomes [batch, rows, columns].
Value with_batch_first(Context& c, Steps& s, size_t i, const char* flag) {
  const Value v = c.input(i);
  const auto rank = std::ssize(v.shape());
  if (c.integer(flag, 0) == 0 || rank < 3) return v;
  std::vector<int64_t> order;
  for (int64_t axis = 1; axis + 1 < rank; ++axis) order.push_back(axis);
  order.insert(order.end(), {0, rank - 1});
  return s.transpose(v, order);
}

std::vector<Value> fused_mat_mul(Context& c) {
  Steps s(c);
  const Value a = with_batch_first(c, s, 0, "transBatchA"), b = with_batch_first(c, s, 1, "transBatchB");
  const Value y =
      s.make("MatMul", {a, b},
             attributes({{"transpose_a", c.integer("transA", 0) != 0}, {"transpose_b", c.integer("transB", 0) != 0}}));
  const double alpha = c.real("alpha", 1);
  return {s.done(alpha == 1 ? y : s.multiply(y, alpha))};
}

std::vector<Value> fused_gemm(Context& c) {
  Steps s(c);
  Value y =
      s.make("MatMul", {c.input(0), c.input(1)},
             attributes({{"transpose_a", c.integer("transA", 0) != 0}, {"transpose_b", c.integer("transB", 0) != 0}}));
  if (const double alpha = c.real("alpha", 1); alpha != 1) y = s.multiply(y, alpha);
  if (c.has_input(2)) {
    const double beta = c.real("beta", 1);
    y = s.add(y, beta == 1 ? c.input(2) : s.multiply(c.input(2), beta));
  }
  return {s.done(activated(c, s, y, c.text("activation", "")))};
}

std::vector<Value> fused_conv(Context& c) {
  Steps s(c);
  const Value x = c.input(0), w = c.input(1);
  const WindowAttributes window = read_window_attributes(c, spatial_axes(c, x));
  const Attributes a = attributes({{"strides", window.strides},
                                   {"dilations", window.dilations},
                                   {"pads_begin", window.pads_begin},
                                   {"pads_end", window.pads_end},
                                   {"auto_pad", window.auto_pad}});
  const int64_t groups = c.integer("group", 1);
  if (groups < 1 || w.shape().at(0) % groups != 0) c.refuse("group is " + std::to_string(groups));
  Shape parts = w.shape();
  parts[0] /= groups;
  parts.insert(parts.begin(), groups);
  Value y = groups == 1 ? s.make("Convolution", {x, w}, a) : s.make("GroupConvolution", {x, s.reshape(w, parts)}, a);
  if (c.has_input(2)) {
    Shape bias(x.shape().size(), 1);
    bias[1] = element_count(c.input(2).shape());
    y = s.add(y, s.reshape(c.input(2), bias));
  }
  if (c.has_input(3)) y = s.add(y, c.input(3));
  return {s.done(activated(c, s, y, c.text("activation", "")))};
}

// ---- activations ----------------------------------------------------------------------------------------------------

/// Either approximation: they differ by less than half a unit of FP16 at 1.
std::vector<Value> biased_gelu(Context& c) {
  Steps s(c);
  const Value x = c.has_input(1) ? s.add(c.input(0), c.input(1)) : c.input(0);
  return {s.done(c.make("Gelu", {x}, {}, 0, "/gelu"))};
}
std::vector<Value> quick_gelu(Context& c) {
  Steps s(c);
  const Value x = c.input(0);
  return {s.done(s.make("Swish", {x, s.number(x, c.real("alpha", 1.702f))}))};
}

// ---- normalization --------------------------------------------------------------------------------------------------

Value layer_norm(Context& c, Steps& s, Value x, size_t gamma, size_t beta) {
  const int64_t last = static_cast<int64_t>(x.shape().size()) - 1;
  Value y = s.make("MVN", {x, s.indices({last})},
                   attributes({{"eps", c.real("epsilon", 1e-12f)},
                               {"eps_mode", std::string("inside_sqrt")},
                               {"normalize_variance", true}}));
  y = s.multiply(y, c.input(gamma));
  return c.has_input(beta) ? s.add(y, c.input(beta)) : y;
}

Value root_mean_square_norm(Context& c, Steps& s, Value x, size_t gamma) {
  return s.multiply(s.root_mean_square_norm(x, x.shape().back(), c.real("epsilon", 1e-5f)), c.input(gamma));
}

void refuse_moments(Context& c) {
  for (size_t i = 1; i < std::min<size_t>(3, c.output_count()); ++i)
    if (!c.node().outputs[i].empty()) c.refuse("its mean and deviation, wanted in training alone, are not supported");
}

std::vector<Value> skip_layer_normalization(Context& c) {
  Steps s(c);
  refuse_moments(c);
  Value sum = s.add(c.input(0), c.input(1));
  if (c.has_input(4)) sum = s.add(sum, c.input(4));
  return {s.done(layer_norm(c, s, sum, 2, 3)), {}, {}, sum};
}
std::vector<Value> skip_simplified_layer_normalization(Context& c) {
  Steps s(c);
  refuse_moments(c);
  Value sum = s.add(c.input(0), c.input(1));
  if (c.has_input(3)) sum = s.add(sum, c.input(3));
  return {s.done(root_mean_square_norm(c, s, sum, 2)), {}, {}, sum};
}
std::vector<Value> simplified_layer_normalization(Context& c) {
  Steps s(c);
  refuse_moments(c);
  if (!is_static(c.input(0).shape()) || c.axis(c.integer("axis", -1), c.rank()) != c.rank() - 1)
    c.refuse("it is supported along the last axis only");
  return {s.done(root_mean_square_norm(c, s, c.input(0), 1))};
}

/// input_ids, segment_ids, tables of words, positions and segments, gamma, beta, mask, position_ids
std::vector<Value> embed_layer_normalization(Context& c) {
  Steps s(c);
  const Shape ids = c.input(0).shape();
  if (ids.size() != 2 || !is_static(ids)) c.refuse("its ids have the shape " + to_string(ids));
  Value sum = s.gather(c.input(2), c.input(0), 0);  // [batch, steps, hidden]
  std::vector<int64_t> steps(static_cast<size_t>(ids[1]));
  std::iota(steps.begin(), steps.end(), 0);
  const Value positions =
      c.has_input(8) ? s.gather(c.input(3), c.input(8), 0)
                     : s.reshape(s.gather(c.input(3), s.indices(steps), 0), {1, ids[1], c.input(3).shape().at(1)});
  sum = s.add(sum, positions);
  if (c.has_input(1) && c.has_input(4)) sum = s.add(sum, s.gather(c.input(4), c.input(1), 0));
  std::vector<Value> outputs{s.done(layer_norm(c, s, sum, 5, 6))};
  if (c.output_count() > 1) {
    if (c.has_input(7))
      outputs.push_back(s.reduce("ReduceSum", s.convert(c.input(7), ElementType::i32), {1}, false));
    else
      outputs.push_back(s.zeros(ElementType::i32, {ids[0]}));
  }
  if (c.output_count() > 2) outputs.push_back(sum);
  return outputs;
}

// ---- attention ------------------------------------------------------------------------------------------------------

struct Heads {
  Value q, k, v;  ///< [batch, heads, steps, size]
};

Value heads_of(Context& c, Steps& s, Value x, int64_t heads) {
  const Shape& shape = x.shape();
  if (shape.size() != 3 || heads < 1 || shape[2] % heads != 0) c.refuse("its heads don't fit " + to_string(shape));
  return s.transpose(s.reshape(x, {shape[0], shape[1], heads, shape[2] / heads}), {0, 2, 1, 3});
}

/// 0 where a key counts, by a mask of 0 and 1: [batch, keys], [batch, queries, keys], or the number of keys [batch].
Value mask_bias(Context& c, Steps& s, size_t input, ElementType type, int64_t batch, int64_t keys) {
  const Value m = s.convert(c.input(input), ElementType::i32);
  const Shape& shape = m.shape();
  Value counts;
  if (shape.size() == 1 && shape[0] == batch) {
    std::vector<int32_t> places(static_cast<size_t>(keys));
    std::iota(places.begin(), places.end(), 0);
    counts = s.make("Less", {s.constant(Tensor::of(ElementType::i32, {1, 1, 1, keys}, std::move(places))),
                             s.reshape(m, {batch, 1, 1, 1})});
  } else if (shape == Shape{batch, keys}) {
    counts = s.make("NotEqual", {s.reshape(m, {batch, 1, 1, keys}), s.number(m, 0)});
  } else if (shape.size() == 3 && shape[0] == batch && shape[2] == keys) {
    counts = s.make("NotEqual", {s.reshape(m, {batch, 1, shape[1], keys}), s.number(m, 0)});
  } else {
    c.refuse("its mask has the shape " + to_string(shape));
  }
  const double filter = std::max(kLeastScore, c.real("mask_filter_value", -10000));
  return s.make("Select",
                {counts, c.number_constant(type, {1, 1, 1, 1}, 0), c.number_constant(type, {1, 1, 1, 1}, filter)});
}

Value causal_bias(Steps& s, ElementType type, int64_t queries, int64_t keys) {
  std::vector<double> v;
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t k = 0; k < keys; ++k) v.push_back(k <= i + keys - queries ? 0 : kLeastScore);
  return s.constant(Tensor::reals(type, {1, 1, queries, keys}, v));
}

/// [batch, steps, heads * size]; mask and bias are inputs, where there are any.
Value attended(Context& c, Steps& s, const Heads& h, size_t mask, size_t bias) {
  const Shape q = h.q.shape(), k = h.k.shape();
  const double scale = c.real("scale", 0);
  Value scores = s.product(s.multiply(h.q, scale != 0 ? scale : 1 / std::sqrt(static_cast<double>(q[3]))), h.k, true);
  if (c.has_input(bias)) scores = s.add(scores, s.maximum(c.input(bias), kLeastScore));
  if (c.has_input(mask)) scores = s.add(scores, mask_bias(c, s, mask, scores.type(), q[0], k[2]));
  if (c.integer("unidirectional", 0) != 0) scores = s.add(scores, causal_bias(s, scores.type(), q[2], k[2]));
  const Value weights = s.make("Softmax", {scores}, attributes({{"axis", int64_t{3}}}));
  const Value y = s.product(weights, h.v);
  return s.reshape(s.transpose(y, {0, 2, 1, 3}), {q[0], q[2], q[1] * h.v.shape()[3]});
}

/// The three products in one: x [batch, steps, in] by weights [in, q + k + v].
Heads projected(Context& c, Steps& s, Value x, Value weights, Value bias) {
  const Shape shape = x.shape(), w = weights.shape();
  if (shape.size() != 3 || !is_static(shape) || w.size() != 2)
    c.refuse("its inputs have the shapes " + to_string(shape) + " and " + to_string(w));
  std::vector<int64_t> sizes = c.integers("qkv_hidden_sizes");
  if (sizes.empty()) sizes.assign(3, w[1] / 3);
  if (sizes.size() != 3 || sizes[0] + sizes[1] + sizes[2] != w[1])
    c.refuse("its qkv_hidden_sizes are " + to_string(sizes));
  Value all = s.product(x, weights);
  if (bias) all = s.add(all, bias);
  std::array<Value, 3> parts;
  int64_t from = 0;
  for (size_t i = 0; i < 3; ++i) {
    parts[i] = heads_of(c, s, s.slice(all, 2, from, from + sizes[i]), c.integer("num_heads", 0));
    from += sizes[i];
  }
  return {parts[0], parts[1], parts[2]};
}

std::vector<Value> packed_attention(Context& c) {
  Steps s(c);
  Heads h = projected(c, s, c.input(0), c.input(1), c.has_input(2) ? c.input(2) : Value{});
  if (c.integer("do_rotary", 0) != 0) c.refuse("rotary positions are not supported");
  Value present;
  if (c.has_input(4)) {  // [2, batch, heads, steps, size]
    const Value past = c.input(4);
    Shape one = past.shape();
    one.erase(one.begin());
    h.k = s.concat({s.reshape(s.slice(past, 0, 0, 1), one), h.k}, 2);
    h.v = s.concat({s.reshape(s.slice(past, 0, 1, 2), one), h.v}, 2);
  }
  if (c.output_count() > 1) {
    Shape one = h.k.shape();
    one.insert(one.begin(), 1);
    present = s.concat({s.reshape(h.k, one), s.reshape(h.v, one)}, 0);
  }
  return {s.done(attended(c, s, h, 3, 5)), present};
}

std::vector<Value> multi_head_attention(Context& c) {
  Steps s(c);
  if (!c.has_input(1) || !c.has_input(2) || c.input(1).shape().size() != 3 || c.input(2).shape().size() != 3)
    c.refuse("packed queries, keys and values are not supported");
  const int64_t heads = c.integer("num_heads", 0);
  std::array<Value, 3> x;
  int64_t from = 0;
  for (size_t i = 0; i < 3; ++i) {
    x[i] = c.input(i);
    const int64_t size = x[i].shape().back();
    if (c.has_input(3)) x[i] = s.add(x[i], s.slice(c.input(3), 0, from, from + size));
    from += size;
  }
  Heads h{heads_of(c, s, x[0], heads), heads_of(c, s, x[1], heads), heads_of(c, s, x[2], heads)};
  if (c.has_input(6)) h.k = s.concat({c.input(6), h.k}, 2);
  if (c.has_input(7)) h.v = s.concat({c.input(7), h.v}, 2);
  return {s.done(attended(c, s, h, 4, 5)), h.k, h.v};
}

// ---- quantized ------------------------------------------------------------------------------------------------------

/// input, weights, bias, input scale, weights' scale, mask, input zero, weights' zero, past
std::vector<Value> q_attention(Context& c) {
  Steps s(c);
  if (c.has_input(8)) c.refuse("past keys and values are not supported");
  const Heads h = projected(c, s, unquantized(c, s, 0, 3, 6), unquantized(c, s, 1, 4, 7), c.input(2));
  return {s.done(attended(c, s, h, 5, c.input_count()))};
}

/// A [.., K] by weights of few bits, packed in blocks of one scale each: [N, blocks, bytes], scales [N * blocks].
std::vector<Value> mat_mul_n_bits(Context& c) {
  Steps s(c);
  const int64_t inner = c.integer("K", 0), outputs = c.integer("N", 0), bits = c.integer("bits", 4),
                block = c.integer("block_size", 0);
  const Tensor *packed = c.constant(1), *scales = c.constant(2);
  if (!packed || !scales || inner < 1 || outputs < 1 || block < 1 || (bits != 4 && bits != 8))
    c.refuse("its weights are not constants of 4 or 8 bits");
  const int64_t blocks = (inner + block - 1) / block, each = block * bits / 8;
  const std::vector<int64_t> bytes = packed->to_i64();
  const std::vector<float> scale = scales->to_f32();
  if (static_cast<int64_t>(bytes.size()) != outputs * blocks * each ||
      static_cast<int64_t>(scale.size()) != outputs * blocks)
    c.refuse("its weights have the shape " + to_string(packed->shape));
  std::vector<float> zero(scale.size(), bits == 4 ? 8.0f : 128.0f);
  if (c.has_input(3)) {
    const Tensor* t = c.constant(3);
    if (!t) c.refuse("its zero points are not constants");
    const std::vector<float> given = t->to_f32();
    const bool is_packed = !is_float(t->type) && bits == 4;
    const int64_t row = is_packed ? (blocks + 1) / 2 : blocks;
    if (static_cast<int64_t>(given.size()) != outputs * row)
      c.refuse("its zero points have the shape " + to_string(t->shape));
    for (int64_t n = 0; n < outputs; ++n)
      for (int64_t b = 0; b < blocks; ++b) {
        const auto at = static_cast<size_t>(n * blocks + b);
        if (!is_packed) {
          zero[at] = given[at];
        } else {
          const auto both = static_cast<int64_t>(given[static_cast<size_t>(n * row + b / 2)]);
          zero[at] = static_cast<float>(b % 2 ? both >> 4 : both & 15);
        }
      }
  }
  std::vector<float> weights(static_cast<size_t>(inner * outputs));
  for (int64_t n = 0; n < outputs; ++n)
    for (int64_t k = 0; k < inner; ++k) {
      const auto of = static_cast<size_t>(n * blocks + k / block);
      const int64_t within = k % block;
      const int64_t byte = bytes[of * static_cast<size_t>(each) + static_cast<size_t>(within * bits / 8)];
      const int64_t q = bits == 8 ? byte : within % 2 ? byte >> 4 : byte & 15;
      weights[static_cast<size_t>(k * outputs + n)] = (static_cast<float>(q) - zero[of]) * scale[of];
    }
  Value y = s.product(c.input(0), s.reals({inner, outputs}, std::move(weights)));
  if (c.has_input(5)) y = s.add(y, c.input(5));
  return {s.done(y)};
}

}  // namespace
}  // namespace mo

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"FusedMatMul", 1, "MatMul", mo::fused_mat_mul, nullptr},
    {"TransposeMatMul", 1, "MatMul", mo::fused_mat_mul, nullptr},
    {"FusedGemm", 1, "MatMul", mo::fused_gemm, nullptr},
    {"FusedConv", 1, "Convolution", mo::fused_conv, nullptr},
    {"Gelu", 1, "Gelu", mo::biased_gelu, nullptr},
    {"BiasGelu", 1, "Gelu", mo::biased_gelu, nullptr},
    {"FastGelu", 1, "Gelu", mo::biased_gelu, nullptr},
    {"QuickGelu", 1, "Swish", mo::quick_gelu, nullptr},
    {"SkipLayerNormalization", 1, "MVN", mo::skip_layer_normalization, nullptr},
    {"SkipSimplifiedLayerNormalization", 1, "NormalizeL2", mo::skip_simplified_layer_normalization, nullptr},
    {"EmbedLayerNormalization", 1, "MVN", mo::embed_layer_normalization, nullptr},
    {"Attention", 1, "MatMul", mo::packed_attention, nullptr},
    {"MultiHeadAttention", 1, "MatMul", mo::multi_head_attention, nullptr},
    {"QAttention", 1, "MatMul", mo::q_attention, nullptr},
    {"MatMulNBits", 1, "MatMul", mo::mat_mul_n_bits, nullptr},
};

/// ONNX Runtime writes it without a domain.
constexpr OperatorRow kWithoutDomain[] = {
    {"SimplifiedLayerNormalization", 1, "NormalizeL2", mo::simplified_layer_normalization, nullptr},
};

}  // namespace

std::span<const OperatorRow> microsoft_operators() { return kOperators; }
std::span<const OperatorRow> operators_without_domain() { return kWithoutDomain; }

}  // namespace blobsmith::onnx_import
