// Normalisations and softmax.
#include <cmath>

#include "importers/onnx/mapper.hpp"
#include "transforms/rewriter/rewrite.hpp"

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

/// y in the shape of x, whatever that is.
Value shaped_like(Context& c, Value y, Value x, const std::string& suffix = {}) {
  const Value shape =
      c.make("ShapeOf", {x}, attributes({{"output_type", std::string("i64")}}), 3, suffix + "/ShapeOf_");
  return c.make("Reshape", {y, shape}, attributes({{"special_zero", true}}), Context::kNewest, suffix);
}

/// Multiply, Add, Multiply, Add; the fusing of linear sequences makes one Multiply and one Add of them
/// (model-optimizer spec §6.2). The
/// first two constants are computed in single precision.
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
  const auto constant = [&](std::vector<float> v) {
    return c.graph().constant(Tensor::of(ElementType::f32, shape, std::move(v)))->value();
  };
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
  const Attributes a = attributes(
      {{"eps", c.real("epsilon", 1e-5f)}, {"eps_mode", std::string("inside_sqrt")}, {"normalize_variance", true}});
  const Value normal = c.make("MVN", {c.input(0), c.integers_constant(axes)}, a, 6, "/Ins_Norm/MVN_");
  const std::vector<int64_t> shape = channel_shape(c, element_count(c.input(1).shape()));
  const Value scaled =
      c.make("Multiply", {normal, c.reshape(c.input(1), shape, "/scale")}, {}, Context::kNewest, "/Ins_Norm/mul_");
  return {c.make("Add", {scaled, c.reshape(c.input(2), shape, "/bias")})};
}

std::vector<Value> map_mean_variance_normalization(Context& c) {
  const Attributes a =
      attributes({{"eps", 1e-9}, {"eps_mode", std::string("outside_sqrt")}, {"normalize_variance", true}});
  return {c.make("MVN", {c.input(0), c.integers_constant(c.integers("axes", {0, 2, 3}))}, a, 6)};
}

std::vector<Value> map_lrn(Context& c) {
  const Attributes a = attributes({{"alpha", c.real("alpha", 1e-4f)},
                                   {"beta", c.real("beta", 0.75f)},
                                   {"bias", c.real("bias", 1)},
                                   {"size", c.integer("size", 1)}});
  return {c.make("LRN", {c.input(0), c.integers_constant({1})}, a)};
}

std::vector<Value> map_lp_normalization(Context& c) {
  if (c.integer("p", 2) == 1) {  // not by Model Optimizer
    const Value x = c.input(0), size = c.make("Abs", {x}, {}, Context::kNewest, "/abs");
    const Value axes = c.integers_constant({c.axis(c.integer("axis", -1), c.rank())});
    return {c.binary("Divide", x,
                     c.make("ReduceSum", {size, axes}, attributes({{"keep_dims", true}}), Context::kNewest, "/sum"))};
  }
  if (c.integer("p", 2) != 2) c.refuse("Only normalization of 2nd order is supported.");
  return {c.make("NormalizeL2", {c.input(0), c.integers_constant({c.axis(c.integer("axis", -1), c.rank())})},
                 attributes({{"eps", 1e-6}, {"eps_mode", std::string("add")}}))};
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
  return {shaped_like(c, y, x)};
}
std::vector<Value> map_softmax(Context& c) { return soft_max(c, "Softmax"); }
std::vector<Value> map_log_softmax(Context& c) { return soft_max(c, "LogSoftmax"); }

/// No operator of Model Optimizer: one at the first largest value of an axis (before opset 13, of all from it on),
/// zeros elsewhere.
std::vector<Value> map_hardmax(Context& c) {
  const Value given = c.input(0);
  const bool rows = c.opset() < 13;
  const int64_t stated = c.axis(c.integer("axis", rows ? 1 : -1), c.rank());
  const Value x = rows ? c.flatten(given, stated, "/FlattenONNX_/Reshape") : given;
  const int64_t axis = rows ? 1 : stated;
  const Attributes a = attributes({{"axis", axis},
                                   {"mode", std::string("max")},
                                   {"sort", std::string("index")},
                                   {"index_element_type", std::string("i64")}});
  Node* top = c.make("TopK", {x, c.integer_constant(1, "/TopK1")}, a, 3, "/TopK").node;
  const Value position =
      c.make("Squeeze", {top->value(1), c.integers_constant({axis})}, {}, Context::kNewest, "/Squeeze");
  const Value depth = c.integer_constant(x.shape()[static_cast<size_t>(axis)], "/depth");
  const Value y =
      c.make("OneHot", {position, depth, c.number_constant(x.type(), {}, 1), c.number_constant(x.type(), {}, 0)},
             attributes({{"axis", axis}}), Context::kNewest, rows ? "/OneHot" : "");
  return {rows ? shaped_like(c, y, given) : y};
}

/// (x - mean) / sqrt(variance + eps) spelled out, the mean, and what the difference is multiplied by.
std::vector<Value> normalized_by_parts(Context& c, Value x, const std::vector<int64_t>& axes, double eps) {
  const auto mean_of = [&](Value v, const std::string& suffix) {
    return c.make("ReduceMean", {v, c.integers_constant(axes)}, attributes({{"keep_dims", true}}), Context::kNewest,
                  suffix);
  };
  const Value mean = mean_of(x, "/mean");
  const Value distance = c.binary("Subtract", x, mean, "/distance");
  const Value variance = mean_of(c.binary("Multiply", distance, distance, "/square"), "/variance");
  const Value inverse = c.binary("Power", c.binary("Add", variance, eps, "/eps"), -0.5, "/inverse_deviation");
  return {c.binary("Multiply", distance, inverse, "/normal"), mean, inverse};
}

/// The same by an MVN where the VPU has it; its eps is outside of the root, which must not matter.
Value normalized(Context& c, Value x, const std::vector<int64_t>& axes, double eps) {
  const size_t rank = x.shape().size();
  constexpr double kNegligible = 1e-4;
  if ((rank == 3 || rank == 4) && axes.front() > 0 && eps <= kNegligible) {
    const Attributes a =
        attributes({{"eps", eps}, {"eps_mode", std::string("inside_sqrt")}, {"normalize_variance", true}});
    return c.make("MVN", {x, c.integers_constant(axes)}, a, 6, "/MVN");
  }
  return normalized_by_parts(c, x, axes, eps)[0];
}

/// No operator of Model Optimizer: the channels of each group together; scale and bias are per group before opset 21.
std::vector<Value> map_group_normalization(Context& c) {
  const Value x = c.input(0);
  const int64_t groups = c.integer("num_groups", 1);
  if (c.rank() < 2 || !is_static(x.shape()) || groups < 1 || x.shape()[1] % groups != 0)
    c.refuse("its channels can't be divided into " + std::to_string(groups) + " groups");
  const int64_t channels = x.shape()[1];
  const Value grouped = c.reshape(x, {0, groups, -1}, "/groups");
  const Value normal = shaped_like(c, normalized(c, grouped, {2}, c.real("epsilon", 1e-5f)), x, "/restored");
  const auto per_channel = [&](size_t i, const char* suffix) {
    const std::vector<float> given = parameter(c, i).to_f32();
    const auto count = static_cast<int64_t>(given.size());
    if (count != groups && count != channels) c.refuse("its parameters have " + std::to_string(count) + " values");
    std::vector<float> values;
    for (int64_t k = 0; k < channels; ++k) values.push_back(given[static_cast<size_t>(k * count / channels)]);
    return c.graph()
        .constant(Tensor::of(ElementType::f32, channel_shape(c, channels), std::move(values)), c.name() + suffix)
        ->value();
  };
  return {c.binary("Add", c.binary("Multiply", normal, per_channel(1, "/scale"), "/scaled"), per_channel(2, "/bias"))};
}

/// No operator of Model Optimizer, which makes the same of its parts: over the axes from `axis` on.
std::vector<Value> map_layer_normalization(Context& c) {
  const Value x = c.input(0);
  std::vector<int64_t> axes;
  for (int64_t i = c.axis(c.integer("axis", -1), c.rank()); i < c.rank(); ++i) axes.push_back(i);
  const double eps = c.real("epsilon", 1e-5f);
  std::vector<Value> values =
      c.output_count() > 1 ? normalized_by_parts(c, x, axes, eps) : std::vector{normalized(c, x, axes, eps)};
  const Value scaled = c.binary("Multiply", values[0], c.input(1), c.has_input(2) ? "/scaled" : "");
  values[0] = c.has_input(2) ? c.binary("Add", scaled, c.input(2)) : scaled;
  return values;
}

/// scale * x + bias of each channel
std::vector<Value> map_image_scaler(Context& c) {
  const std::vector<float> bias = c.reals("bias");
  if (bias.empty()) c.refuse("it has no bias");
  Shape shape{static_cast<int64_t>(bias.size()), 1, 1};
  Value y = c.input(0);
  const double scale = c.real("scale", 1);
  if (scale != 1) y = c.binary("Multiply", y, scale, "/mul_");
  return {
      c.binary("Add", y, c.graph().constant(Tensor::of(ElementType::f32, shape, bias), c.name() + "/bias")->value())};
}

constexpr Mapper kMappers[] = {{"BatchNormalization", map_batch_normalization},
                               {"InstanceNormalization", map_instance_normalization},
                               {"MeanVarianceNormalization", map_mean_variance_normalization},
                               {"LRN", map_lrn},
                               {"LpNormalization", map_lp_normalization},
                               {"LayerNormalization", map_layer_normalization},
                               {"GroupNormalization", map_group_normalization},
                               {"ImageScaler", map_image_scaler},
                               {"Hardmax", map_hardmax},
                               {"Softmax", map_softmax},
                               {"LogSoftmax", map_log_softmax}};

}  // namespace

std::span<const Mapper> normalization_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
