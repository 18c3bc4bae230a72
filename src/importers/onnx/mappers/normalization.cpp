// Normalisations and softmax.
#include <cmath>

#include "importers/onnx/mapper.hpp"
#include "transforms/rewrite.hpp"

namespace blobsmith::onnx_import {
namespace {

std::vector<int64_t> channel_shape(Context& c, int64_t channels) {
  std::vector<int64_t> shape(static_cast<size_t>(c.rank()), 1);
  if (c.rank() > 1) shape[1] = channels;
  return shape;
}

const Tensor& parameter(Context& c, size_t i) {
  const Tensor* t = c.constant(i);
  if (!t) c.refuse("its parameters are not constants");
  return *t;
}

/// Multiply, Add, Multiply, Add; the fusing of linear sequences makes one Multiply and one Add of them (§6.2). The first
/// two constants are computed in single precision.
std::vector<Value> map_batch_normalization(Context& c) {
  const std::vector<float> mean = parameter(c, 3).to_f32(), variance = parameter(c, 4).to_f32();
  const auto eps = static_cast<float>(c.real("epsilon", 1e-5f));
  std::vector<float> scale(variance.size()), shift(variance.size());
  if (mean.size() != variance.size()) c.refuse("mean and variance differ in size");
  for (size_t i = 0; i < scale.size(); ++i) {
    scale[i] = 1.0f / std::sqrt(variance[i] + eps);
    shift[i] = mean[i] * scale[i] * -1.0f;
  }
  const auto channels = static_cast<int64_t>(scale.size());
  const Shape shape = channel_shape(c, channels);
  const auto constant = [&](std::vector<float> v) { return c.graph().constant(Tensor::of(ElementType::f32, shape, std::move(v)))->value(); };
  const auto given = [&](size_t i) {
    if (element_count(parameter(c, i).shape) != channels) c.refuse("its parameters differ in size");
    return c.reshape(c.input(i), shape, "/parameter");
  };
  Value v = c.make("Multiply", {c.input(0), constant(std::move(scale))}, {}, Context::kNewest, "/mean");
  v = c.make("Add", {v, constant(std::move(shift))}, {}, Context::kNewest, "/variance");
  v = c.make("Multiply", {v, given(1)}, {}, Context::kNewest, "/gamma");
  return {c.make("Add", {v, given(2)}, {}, Context::kNewest, "/beta")};
}

std::vector<Value> map_instance_normalization(Context& c) {
  std::vector<int64_t> axes;
  for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  const Attributes a = attributes({{"eps", c.real("epsilon", 1e-5f)}, {"eps_mode", std::string("inside_sqrt")}, {"normalize_variance", true}});
  const Value normal = c.make("MVN", {c.input(0), c.integers_constant(axes)}, a, 6, "/Ins_Norm/MVN_");
  const std::vector<int64_t> shape = channel_shape(c, element_count(c.input(1).shape()));
  const Value scaled = c.make("Multiply", {normal, c.reshape(c.input(1), shape, "/scale")}, {}, Context::kNewest, "/Ins_Norm/mul_");
  return {c.make("Add", {scaled, c.reshape(c.input(2), shape, "/bias")})};
}

std::vector<Value> map_mean_variance_normalization(Context& c) {
  const Attributes a = attributes({{"eps", 1e-9}, {"eps_mode", std::string("outside_sqrt")}, {"normalize_variance", true}});
  return {c.make("MVN", {c.input(0), c.integers_constant(c.integers("axes", {0, 2, 3}))}, a, 6)};
}

std::vector<Value> map_lrn(Context& c) {
  const Attributes a = attributes({{"alpha", c.real("alpha", 1e-4f)}, {"beta", c.real("beta", 0.75f)}, {"bias", c.real("bias", 1)}, {"size", c.integer("size", 1)}});
  return {c.make("LRN", {c.input(0), c.integers_constant({1})}, a)};
}

std::vector<Value> map_lp_normalization(Context& c) {
  if (c.integer("p", 2) != 2) c.refuse("Only normalization of 2nd order is supported.");
  return {c.make("NormalizeL2", {c.input(0), c.integers_constant({c.axis(c.integer("axis", -1), c.rank())})}, attributes({{"eps", 1e-6}, {"eps_mode", std::string("add")}}))};
}

/// Flattened at the axis, as operators before opset 13 mean it: the softmax of rows, then the shape restored.
/// quirk: Model Optimizer does so for later operators too, which mean the axis alone.
std::vector<Value> soft_max(Context& c, const char* type) {
  const Value x = c.input(0);
  const int64_t axis = c.integer("axis", c.opset() >= 13 ? -1 : 1);
  const int64_t from_front = c.axis(axis, c.rank());
  if (c.opset() >= 13 && from_front != c.rank() - 1 && !c.quirks()) {
    c.note("the softmax is taken over one axis, as the model says");
    return {c.make(type, {x}, attributes({{"axis", from_front}}))};
  }
  const Value flat = c.flatten(x, axis, "/FlattenONNX_/Reshape");
  const Value y = c.make(type, {flat}, attributes({{"axis", int64_t{1}}}), Context::kNewest, "/Softmax_");
  const Value shape = c.make("ShapeOf", {x}, attributes({{"output_type", std::string("i64")}}), 3, "/ShapeOf_");
  return {c.make("Reshape", {y, shape}, attributes({{"special_zero", true}}))};
}
std::vector<Value> map_softmax(Context& c) { return soft_max(c, "Softmax"); }
std::vector<Value> map_log_softmax(Context& c) { return soft_max(c, "LogSoftmax"); }

constexpr Mapper kMappers[] = {{"BatchNormalization", map_batch_normalization},
                               {"InstanceNormalization", map_instance_normalization},
                               {"MeanVarianceNormalization", map_mean_variance_normalization},
                               {"LRN", map_lrn},
                               {"LpNormalization", map_lp_normalization},
                               {"Softmax", map_softmax},
                               {"LogSoftmax", map_log_softmax}};

}  // namespace

std::span<const Mapper> normalization_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
