// Normalizations.
#include <cmath>

#include "importers/tensorflow/operators.hpp"
#include "transforms/rewriter/rewrite.hpp"

namespace blobsmith::tensorflow_import {
namespace {

/// One value per channel of x.
Shape channel_shape(Context& c, int64_t channels) {
  Shape shape(c.input(0).shape().size(), 1);
  shape[c.channels_last() ? shape.size() - 1 : 1] = channels;
  return shape;
}

const Tensor* constant(Context& c, size_t i) { return transforms::constant_of(c.input(i)); }

Value given(Context& c, size_t i) {
  return c.reshape(c.input(i), channel_shape(c, element_count(c.input(i).shape())), "/parameter");
}

/// Statistics of the batch itself: of all axes but that of the channels.
std::vector<Value> of_batch(Context& c, double eps) {
  std::vector<int64_t> axes;
  const int64_t channels = c.channels_last() ? c.rank() - 1 : 1;
  for (int64_t i = 0; i < c.rank(); ++i)
    if (i != channels) axes.push_back(i);
  const Value normal = c.make(
      "MVN", {c.input(0), c.integers_constant(axes)},
      attributes({{"eps", eps}, {"eps_mode", std::string("inside_sqrt")}, {"normalize_variance", true}}), 6, "/MVN_");
  const Value scaled = c.make("Multiply", {normal, given(c, 1)}, {}, Context::kNewest, "/mul_");
  return {c.make("Add", {scaled, given(c, 2)})};
}

/// Statistics that are computed: (x - mean) · gamma · (variance + eps)^-½ + beta.
std::vector<Value> of_computed_statistics(Context& c, double eps) {
  const Value variance = c.binary("Add", given(c, 4), eps, "/eps");
  const Value root = c.binary("Power", variance, -0.5, "/rsqrt");
  const Value scale = c.make("Multiply", {root, given(c, 1)}, {}, Context::kNewest, "/scale");
  const Value shift = c.make("Multiply", {given(c, 3), scale}, {}, Context::kNewest, "/mean_scale");
  const Value bias = c.make("Subtract", {given(c, 2), shift}, {}, Context::kNewest, "/bias");
  const Value scaled = c.make("Multiply", {c.input(0), scale}, {}, Context::kNewest, "/mul_");
  return {c.make("Add", {scaled, bias})};
}

/// Multiply, Add, Multiply, Add; the fusing of linear sequences makes one Multiply and one Add of them
/// (model-optimizer spec §6.2). The first two constants are computed in single precision.
std::vector<Value> batch_norm(Context& c) {
  if (c.rank() < 2) c.refuse("its input has " + std::to_string(c.rank()) + " dimensions");
  const double eps = c.node().real("epsilon", 1e-4f);
  if (c.node().flag("is_training", true)) return of_batch(c, eps);
  const Tensor *mean_constant = constant(c, 3), *variance_constant = constant(c, 4);
  if (!mean_constant || !variance_constant) return of_computed_statistics(c, eps);
  const std::vector<float> mean = mean_constant->to_f32(), variance = variance_constant->to_f32();
  if (mean.size() != variance.size()) c.refuse("mean and variance differ in size");
  std::vector<float> scale(mean.size()), shift(mean.size());
  for (size_t i = 0; i < scale.size(); ++i) {
    scale[i] = 1.0f / std::sqrt(variance[i] + static_cast<float>(eps));
    shift[i] = mean[i] * scale[i] * -1.0f;
  }
  const Shape shape = channel_shape(c, static_cast<int64_t>(scale.size()));
  const auto made = [&](std::vector<float> v) {
    return c.graph().constant(Tensor::of(ElementType::f32, shape, std::move(v)))->value();
  };
  Value v = c.make("Multiply", {c.input(0), made(std::move(scale))}, {}, Context::kNewest, "/mean");
  v = c.make("Add", {v, made(std::move(shift))}, {}, Context::kNewest, "/variance");
  v = c.make("Multiply", {v, given(c, 1)}, {}, Context::kNewest, "/gamma");
  return {c.make("Add", {v, given(c, 2)}, {}, Context::kNewest, "/beta")};
}

/// Over the channels, which come last.
std::vector<Value> local_response(Context& c) {
  const int64_t radius = c.node().integer("depth_radius", 5);
  if (radius < 0 || radius > 1024) c.refuse("depth_radius is " + std::to_string(radius));
  const auto size = 2 * radius + 1;
  return {c.make("LRN", {c.input(0), c.integers_constant({c.rank() - 1})},
                 attributes({{"alpha", c.node().real("alpha", 1) * static_cast<double>(size)},
                             {"beta", c.node().real("beta", 0.5)},
                             {"bias", c.node().real("bias", 1)},
                             {"size", size}}))};
}

/// The limits that TensorFlow makes of min and max so that 0 is one of the levels; levels are 0 … 2^bits - 1, from 1
/// with a narrow range.
std::vector<Value> fake_quantized(Context& c, std::vector<float> lows, std::vector<float> highs) {
  const int64_t bits = c.node().integer("num_bits", 8);
  if (bits < 2 || bits > 16) c.refuse("num_bits is " + std::to_string(bits));
  const int64_t levels = (int64_t{1} << bits) - (c.node().flag("narrow_range", false) ? 1 : 0);
  if (lows.size() != highs.size()) c.refuse("min and max differ in size");
  for (size_t i = 0; i < lows.size(); ++i) {
    float lo = lows[i], hi = highs[i];
    if (lo > 0) hi -= lo, lo = 0;
    if (hi < 0) lo -= hi, hi = 0;
    const float step = (hi - lo) / static_cast<float>(levels - 1);
    lows[i] = step * std::nearbyint(lo / step);
    highs[i] = hi + lows[i] - lo;
  }
  Shape shape(c.input(0).shape().size(), 1);
  if (lows.size() != 1 && !shape.empty()) shape.back() = static_cast<int64_t>(lows.size());
  const auto limit = [&](const std::vector<float>& v) {
    return c.graph().constant(Tensor::of(ElementType::f32, shape, v))->value();
  };
  const Value lo = limit(lows), hi = limit(highs);
  return {c.make("FakeQuantize", {c.input(0), lo, hi, lo, hi}, attributes({{"levels", levels}}))};
}
std::vector<Value> fake_quantize(Context& c) {
  return fake_quantized(c, c.tensor_of(1, "min").to_f32(), c.tensor_of(2, "max").to_f32());
}
std::vector<Value> fake_quantize_by_attributes(Context& c) {
  return fake_quantized(c, {static_cast<float>(c.node().real("min", -6))},
                        {static_cast<float>(c.node().real("max", 6))});
}

constexpr OperatorRow kOperators[] = {
    {"FusedBatchNorm", "Multiply", batch_norm},
    {"FusedBatchNormV2", "Multiply", batch_norm},
    {"FusedBatchNormV3", "Multiply", batch_norm},
    {"LRN", "LRN", local_response},
    {"FakeQuantWithMinMaxArgs", "FakeQuantize", fake_quantize_by_attributes},
    {"FakeQuantWithMinMaxVars", "FakeQuantize", fake_quantize},
    {"FakeQuantWithMinMaxVarsPerChannel", "FakeQuantize", fake_quantize},
};

}  // namespace

std::span<const OperatorRow> normalization_operators() { return kOperators; }

}  // namespace blobsmith::tensorflow_import
