// The operators of transformers in one piece: attention, rotary positions, normalization by the root of the mean
// square, gated units, caches. No operators of Model Optimizer, nor of the importer inside Intel's compiler.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "graph/ops/known_value.hpp"
#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

/// What stands for minus infinity in a sum of masks: FP16 holds two of it, and nothing is left of its exponential.
constexpr double kMasked = -30000, kBarelyMasked = -20000;

/// [batch, heads, steps, size]
Value with_heads(Context& c, Steps& s, size_t input, int64_t heads) {
  const Value v = c.input(input);
  const Shape& shape = v.shape();
  if (!is_static(shape)) c.refuse("its inputs have open shapes");
  if (shape.size() == 4) return v;
  if (shape.size() != 3 || heads < 1 || shape[2] % heads != 0)
    c.refuse("its input " + std::to_string(input) + " has the shape " + to_string(shape));
  return s.transpose(s.reshape(v, {shape[0], shape[1], heads, shape[2] / heads}), {0, 2, 1, 3});
}

/// Every head of keys and values serves several of queries.
Value repeated(Steps& s, Value v, int64_t heads) {
  const int64_t have = v.shape()[1];
  if (have == heads) return v;
  std::vector<int64_t> at;
  for (int64_t h = 0; h < heads; ++h) at.push_back(h * have / heads);
  return s.gather(v, s.indices(at), 1);
}

struct AttentionSizes {
  int64_t batch, heads, queries, keys, past;
};

/// 0 where a key counts, kMasked elsewhere.
class Bias {
 public:
  Bias(Context& c, Steps& s, ElementType type, const AttentionSizes& sizes) : c_(c), s_(s), type_(type), n_(sizes) {}

  /// Null where every key counts.
  Value make() {
    if (c_.has_input(3)) add(mask());
    const bool causal = c_.integer("is_causal", 0) != 0;
    const int64_t left = c_.integer("left_window_size", -1), right = c_.integer("right_window_size", -1);
    const bool counts = c_.has_input(6);
    if (counts) {
      const Value n = s_.reshape(s_.convert(c_.input(6), ElementType::i32), {n_.batch, 1, 1, 1});
      // keys that there are; queries stand at their end
      add(where(s_.make("Less", {positions([](int64_t, int64_t k) { return k; }), n})));
      const int64_t q = n_.queries;
      if (causal) add(where(s_.make("LessEqual", {positions([q](int64_t i, int64_t k) { return k - i + q; }), n})));
      if (left >= 0)
        add(where(
            s_.make("GreaterEqual", {positions([q, left](int64_t i, int64_t k) { return k + left - i + q; }), n})));
      if (right >= 0)
        add(where(
            s_.make("LessEqual", {positions([q, right](int64_t i, int64_t k) { return k - right - i + q; }), n})));
    } else if (causal || left >= 0 || right >= 0) {
      const int64_t past = n_.past;
      add(constant([=](int64_t i, int64_t k) {
        const int64_t ahead = k - i - past;
        return (!causal || ahead <= 0) && (left < 0 || -ahead <= left) && (right < 0 || ahead <= right);
      }));
    }
    return parts_ > 1 ? s_.maximum(sum_, kMasked) : sum_;
  }

 private:
  void add(Value v) {
    sum_ = sum_ ? s_.add(sum_, v) : v;
    ++parts_;
  }

  Value where(Value counts) {
    return s_.make("Select", {counts, c_.number_constant(type_, {1, 1, 1, 1}, 0),
                              c_.number_constant(type_, {1, 1, 1, 1}, kMasked)});
  }

  template <class F>
  Value positions(F f) {
    std::vector<int32_t> v;
    for (int64_t i = 0; i < n_.queries; ++i)
      for (int64_t k = 0; k < n_.keys; ++k) v.push_back(static_cast<int32_t>(f(i, k)));
    return s_.constant(Tensor::of(ElementType::i32, {1, 1, n_.queries, n_.keys}, std::move(v)));
  }

  template <class F>
  Value constant(F counts) {
    std::vector<double> v;
    for (int64_t i = 0; i < n_.queries; ++i)
      for (int64_t k = 0; k < n_.keys; ++k) v.push_back(counts(i, k) ? 0 : kMasked);
    return s_.constant(Tensor::reals(type_, {1, 1, n_.queries, n_.keys}, v));
  }

  /// The model's own mask, of any rank up to 4; keys behind its end don't count.
  Value mask() {
    Value m = c_.input(3);
    Shape shape = m.shape();
    if (shape.size() > 4 || shape.empty() || !is_static(shape)) c_.refuse("its mask has the shape " + to_string(shape));
    shape.insert(shape.begin(), 4 - shape.size(), 1);
    m = s_.reshape(m, shape);
    if (m.type() == ElementType::boolean)
      m = where(m);
    else
      m = s_.maximum(m, kMasked);
    const int64_t missing = n_.keys - shape.back();
    if (missing <= 0 || shape.back() == 1) return m;
    shape.back() = missing;
    return s_.concat({m, c_.number_constant(type_, shape, kMasked)}, 3);
  }

  Context& c_;
  Steps& s_;
  ElementType type_;
  const AttentionSizes& n_;
  Value sum_;
  int parts_ = 0;
};

/// Whether some query may have no key at all.
bool may_mask_all(Value bias) {
  const auto known = known_value(bias);
  if (!known) return true;
  const std::vector<float> v = known->to_f32();
  const auto keys = static_cast<size_t>(bias.shape().back());
  for (size_t i = 0; i < v.size(); i += keys)
    if (std::all_of(v.begin() + static_cast<std::ptrdiff_t>(i), v.begin() + static_cast<std::ptrdiff_t>(i + keys),
                    [](float x) { return static_cast<double>(x) < kBarelyMasked; }))
      return true;
  return false;
}

/// Minus infinity where nothing counts, for who looks at the scores.
Value endless(Steps& s, Value bias) {
  const Value masked = s.make("Less", {bias, s.number(bias, kBarelyMasked)});
  return s.make("Select", {masked, s.number(bias, -std::numeric_limits<double>::infinity()), s.number(bias, 0)});
}

std::vector<Value> attention(Context& c) {
  Steps s(c);
  const bool has_rows = c.input(0).shape().size() == 3;
  const Value q = with_heads(c, s, 0, c.integer("q_num_heads", 0));
  Value k = with_heads(c, s, 1, c.integer("kv_num_heads", 0)), v = with_heads(c, s, 2, c.integer("kv_num_heads", 0));
  const int64_t past = c.has_input(4) ? c.input(4).shape().at(2) : 0;
  if (c.has_input(4) != c.has_input(5)) c.refuse("of past keys and values only one is given");
  if (c.has_input(4)) {
    k = s.concat({c.input(4), k}, 2);
    v = s.concat({c.input(5), v}, 2);
  }
  const Value present_key = k, present_value = v;
  const AttentionSizes n{q.shape()[0], q.shape()[1], q.shape()[2], k.shape()[2], past};
  if (k.shape()[1] < 1 || n.heads % k.shape()[1] != 0) c.refuse("its heads don't fit");
  k = repeated(s, k, n.heads);
  v = repeated(s, v, n.heads);
  const double scale = c.has("scale") ? c.real("scale", 0) : 1 / std::sqrt(static_cast<double>(q.shape()[3]));
  Value scores = s.product(s.multiply(q, scale), k, true);
  const int64_t mode = c.integer("qk_matmul_output_mode", 0);
  Value shown = scores;
  if (const double cap = c.real("softcap", 0); cap > 0)
    scores = s.multiply(s.make("Tanh", {s.multiply(scores, 1 / cap)}), cap);
  if (mode == 1) shown = scores;
  const Value bias = Bias(c, s, q.type(), n).make();
  if (bias) scores = s.add(scores, bias);
  if (mode == 2 || (mode == 1 && c.opset() < 24 && c.real("softcap", 0) <= 0))
    shown = bias ? s.add(scores, endless(s, bias)) : scores;
  Value weights = s.make("Softmax", {scores}, attributes({{"axis", int64_t{3}}}));
  if (bias && may_mask_all(bias)) {
    const Value best = s.reduce("ReduceMax", bias, {3}, true);
    weights =
        s.make("Select", {s.make("Greater", {best, s.number(best, kBarelyMasked)}), weights, s.number(weights, 0)});
  }
  if (mode == 3) shown = weights;
  Value y = s.product(weights, v);
  if (has_rows) y = s.reshape(s.transpose(y, {0, 2, 1, 3}), {n.batch, n.queries, n.heads * v.shape()[3]});
  return {s.done(y), present_key, present_value, shown};
}

std::vector<Value> rms_normalization(Context& c) {
  Steps s(c);
  const Value x = c.input(0);
  const Shape shape = x.shape();
  if (!is_static(shape) || shape.empty()) c.refuse("its input has the shape " + to_string(shape));
  const auto first = static_cast<size_t>(c.axis(c.integer("axis", -1), c.rank()));
  const int64_t n =
      std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(first), shape.end(), int64_t{1}, std::multiplies<>());
  return {s.done(s.multiply(s.root_mean_square_norm(x, n, c.real("epsilon", 1e-5f)), c.input(1)))};
}

/// Pairs of numbers are turned by angles whose cosines and sines are given.
std::vector<Value> rotary_embedding(Context& c) {
  Steps s(c);
  const Shape given = c.input(0).shape();
  if (!is_static(given) || given.size() < 3 || given.size() > 4)
    c.refuse("its input has the shape " + to_string(given));
  const Value x = with_heads(c, s, 0, c.integer("num_heads", 0));  // [batch, heads, steps, size]
  const Shape shape = x.shape();
  const int64_t size = shape[3], stated = c.integer("rotary_embedding_dim", 0), turned = stated ? stated : size;
  if (turned % 2 != 0 || turned > size) c.refuse("rotary_embedding_dim is " + std::to_string(stated));
  const int64_t half = turned / 2;
  const auto angles = [&](size_t input) {
    Value v = c.input(input);
    if (c.has_input(3)) v = s.gather(v, c.input(3), 0);
    const Shape& a = v.shape();  // [batch, steps, half]
    if (a.size() != 3 || a[2] != half) c.refuse("its angles have the shape " + to_string(a));
    return s.reshape(v, {a[0], 1, a[1], half});
  };
  const Value cosine = angles(1), sine = angles(2);
  const bool interleaved = c.integer("interleaved", 0) != 0;
  Value a, b;
  const Value part = s.slice(x, 3, 0, turned);
  if (interleaved) {
    std::vector<int64_t> even, odd;
    for (int64_t i = 0; i < half; ++i) {
      even.push_back(2 * i);
      odd.push_back(2 * i + 1);
    }
    a = s.gather(part, s.indices(even), 3);
    b = s.gather(part, s.indices(odd), 3);
  } else {
    a = s.slice(part, 3, 0, half);
    b = s.slice(part, 3, half, turned);
  }
  const Value b_sine = s.multiply(b, sine);
  Value real = s.subtract(s.multiply(a, cosine), b_sine);
  const Value b_cosine = s.multiply(b, cosine);
  Value imaginary = s.add(s.multiply(a, sine), b_cosine);
  Value y;
  if (interleaved) {
    const std::vector<int64_t> one{shape[0], shape[1], shape[2], half, 1};
    y = s.reshape(s.concat({s.reshape(real, one), s.reshape(imaginary, one)}, 4),
                  {shape[0], shape[1], shape[2], turned});
  } else {
    y = s.concat({real, imaginary}, 3);
  }
  if (turned < size) y = s.concat({y, s.slice(x, 3, turned, size)}, 3);
  if (given.size() == 3) y = s.reshape(s.transpose(y, {0, 2, 1, 3}), given);
  return {s.done(y)};
}

/// a sigmoid(alpha a) b
std::vector<Value> swiglu(Context& c) {
  Steps s(c);
  const Value a = c.input(0), gate = s.make("Sigmoid", {s.multiply(a, c.real("alpha", 1))});
  return {s.done(s.multiply(s.multiply(a, gate), c.input(1)))};
}

/// Products of moved copies, as running sums are sums of them.
std::vector<Value> cumulative_product(Context& c) {
  Steps s(c);
  Value x = c.input(0);
  const Shape shape = x.shape();
  if (!is_static(shape) || shape.empty()) c.refuse("its input has the shape " + to_string(shape));
  const auto axis = static_cast<size_t>(c.axis(c.constant_integers(1, "axis").at(0), c.rank()));
  const bool reverse = c.integer("reverse", 0) != 0;
  const int64_t size = shape[axis];
  const auto moved = [&](Value v, int64_t by) {
    Shape part = shape;
    part[axis] = std::min(by, size);
    const Value ones = c.number_constant(v.type(), part, 1);
    if (by >= size) return ones;
    return reverse ? s.concat({s.slice(v, axis, by, size), ones}, static_cast<int64_t>(axis))
                   : s.concat({ones, s.slice(v, axis, 0, size - by)}, static_cast<int64_t>(axis));
  };
  for (int64_t by = 1; by < size; by *= 2) x = s.multiply(x, moved(x, by));
  if (c.integer("exclusive", 0) != 0) x = moved(x, 1);
  return {s.done(x)};
}

/// Rows of a cache replaced at constant positions.
std::vector<Value> tensor_scatter(Context& c) {
  Steps s(c);
  const Shape cache = c.input(0).shape(), update = c.input(1).shape();
  if (!is_static(cache) || cache.size() != update.size() || cache.size() < 2) c.refuse("its inputs don't fit");
  const auto axis = static_cast<size_t>(c.axis(c.integer("axis", -2), c.rank()));
  std::vector<int64_t> first(static_cast<size_t>(cache[0]), 0);
  if (c.has_input(2)) first = c.constant_integers(2, "list of positions");
  if (first.size() != static_cast<size_t>(cache[0]) || axis == 0) c.refuse("its positions don't fit its cache");
  const bool circular = c.text("mode", "linear") == "circular";
  std::vector<int64_t> at;
  const int64_t count = element_count(update);
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, place = 0, step = 1;
    std::vector<int64_t> index(update.size());
    for (size_t a = update.size(); a-- > 0; rest /= update[a]) index[a] = rest % update[a];
    index[axis] += first[static_cast<size_t>(index[0])];
    if (circular) index[axis] %= cache[axis];
    if (index[axis] >= cache[axis]) c.refuse("its positions leave its cache");
    for (size_t a = cache.size(); a-- > 0; step *= cache[a]) place += index[a] * step;
    at.push_back(place);
  }
  const Value y = s.make("ScatterElementsUpdate", {s.reshape(c.input(0), {element_count(cache)}), s.indices(at),
                                                   s.reshape(c.input(1), {count}), s.constant(Tensor::scalar_i64(0))});
  return {s.done(s.reshape(y, cache))};
}

}  // namespace
}  // namespace mo

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"Attention", 23, "MatMul", mo::attention, nullptr},
    {"RMSNormalization", 23, "NormalizeL2", mo::rms_normalization, nullptr},
    {"RotaryEmbedding", 23, "Multiply", mo::rotary_embedding, nullptr},
    {"SwiGLU", 1, "Multiply", mo::swiglu, nullptr},
    {"CumProd", 1, "Multiply", mo::cumulative_product, nullptr},
    {"TensorScatter", 24, "ScatterElementsUpdate", mo::tensor_scatter, nullptr},
};

}  // namespace

std::span<const OperatorRow> attention_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
