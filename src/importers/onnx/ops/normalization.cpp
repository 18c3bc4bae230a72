// Normalizations, and Dropout, which does nothing at inference time.
#include <cmath>

#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
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

/// Multiply, Add, Multiply, Add; the fusing of linear sequences makes one Multiply and one Add of them
/// (model-optimizer spec §6.2). The first two constants are computed in single precision.
std::vector<Value> trained_batch_normalization(Context& c);

std::vector<Value> batch_normalization(Context& c) {
  if (c.integer("training_mode", 0) != 0 && !c.quirks()) return trained_batch_normalization(c);
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
    return c.graph().constant(floats_of(c.input(0).type(), shape, std::move(v)))->value();
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

std::vector<Value> instance_normalization(Context& c) {
  std::vector<int64_t> axes;
  for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  const Attributes a = attributes(
      {{"eps", c.real("epsilon", 1e-5f)}, {"eps_mode", std::string("inside_sqrt")}, {"normalize_variance", true}});
  const Value planes = c.quirks() ? c.axes_from(c.input(0), 2) : c.integers_constant(axes);
  const Value normal = c.make("MVN", {c.input(0), planes}, a, 6, "/Ins_Norm/MVN_");
  const std::vector<int64_t> shape = channel_shape(c, element_count(c.input(1).shape()));
  const Value scaled =
      c.make("Multiply", {normal, c.reshape(c.input(1), shape, "/scale")}, {}, Context::kNewest, "/Ins_Norm/mul_");
  return {c.make("Add", {scaled, c.reshape(c.input(2), shape, "/bias")})};
}

std::vector<Value> mean_variance(Context& c) {
  const Attributes a =
      attributes({{"eps", 1e-9}, {"eps_mode", std::string("outside_sqrt")}, {"normalize_variance", true}});
  return {c.make("MVN", {c.input(0), c.integers_constant(c.integers("axes", {0, 2, 3}))}, a, 6)};
}

std::vector<Value> local_response(Context& c) {
  const Attributes a = attributes({{"alpha", c.real("alpha", 1e-4f)},
                                   {"beta", c.real("beta", 0.75f)},
                                   {"bias", c.real("bias", 1)},
                                   {"size", c.integer("size", 1)}});
  return {c.make("LRN", {c.input(0), c.integers_constant({1})}, a)};
}

std::vector<Value> lp_normalization(Context& c) {
  if (c.integer("p", 2) == 1) {  // not by Model Optimizer
    const Value x = c.input(0), size = c.make("Abs", {x}, {}, Context::kNewest, "/abs");
    const Value axes = c.integers_constant({c.axis(c.integer("axis", -1), c.rank())});
    // By the mean first: the sum may be beyond FP16.
    const auto along = static_cast<size_t>(c.axis(c.integer("axis", -1), c.rank()));
    const Value mean = c.make("ReduceMean", {size, axes}, attributes({{"keep_dims", true}}), Context::kNewest, "/mean");
    return {c.binary("Multiply", c.binary("Divide", x, mean, "/parts"), 1.0 / static_cast<double>(x.shape()[along]))};
  }
  if (c.integer("p", 2) != 2) c.refuse("Only normalization of 2nd order is supported.");
  return {c.make("NormalizeL2", {c.input(0), c.integers_constant({c.axis(c.integer("axis", -1), c.rank())})},
                 attributes({{"eps", 1e-6}, {"eps_mode", std::string("add")}}))};
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

/// By the moments of the batch itself; those that the model keeps move towards them.
std::vector<Value> trained_batch_normalization(Context& c) {
  const Value x = c.input(0);
  if (!is_static(x.shape()) || c.rank() < 2) c.refuse("its input has the shape " + to_string(x.shape()));
  std::vector<int64_t> axes;
  for (int64_t i = 0; i < c.rank(); ++i)
    if (i != 1) axes.push_back(i);
  Steps s(c);
  const Value mean = s.reduce("ReduceMean", x, axes, true), distance = s.subtract(x, mean);
  const Value variance = s.reduce("ReduceMean", s.multiply(distance, distance), axes, true);
  const std::vector<int64_t> shape = channel_shape(c, x.shape()[1]);
  const Value normal = s.multiply(distance, s.power(s.add(variance, c.real("epsilon", 1e-5f)), -0.5));
  const Value bias = s.reshape(c.input(2), shape);
  const Value y = s.add(s.multiply(normal, s.reshape(c.input(1), shape)), bias);
  const double momentum = c.real("momentum", 0.9f);
  const auto moved = [&](size_t kept, Value now) {
    const Value flat = s.reshape(now, {x.shape()[1]});
    const Value fresh = s.multiply(flat, 1 - momentum);
    return s.add(s.multiply(c.input(kept), momentum), fresh);
  };
  std::vector<Value> outputs{s.done(y)};
  if (c.output_count() > 1) outputs.push_back(moved(3, mean));
  if (c.output_count() > 2) outputs.push_back(moved(4, variance));
  return outputs;
}

/// The same by an MVN; with quirks where the VPU has it, and eps outside of the root doesn't matter.
Value normalized(Context& c, Value x, const std::vector<int64_t>& axes, double eps) {
  const size_t rank = x.shape().size();
  constexpr double kNegligible = 1e-4;
  const bool has_stage = (rank == 3 || rank == 4) && axes.front() > 0 && eps <= kNegligible;
  if (has_stage || (!c.quirks() && is_static(x.shape()))) {
    const Attributes a =
        attributes({{"eps", eps}, {"eps_mode", std::string("inside_sqrt")}, {"normalize_variance", true}});
    return c.make("MVN", {x, c.integers_constant(axes)}, a, 6, "/MVN");
  }
  return normalized_by_parts(c, x, axes, eps)[0];
}

/// No operator of Model Optimizer: the channels of each group together; scale and bias are per group before opset 21.
std::vector<Value> group_normalization(Context& c) {
  const Value x = c.input(0);
  const int64_t groups = c.integer("num_groups", 1);
  if (c.rank() < 2 || !is_static(x.shape()) || groups < 1 || x.shape()[1] % groups != 0)
    c.refuse("its channels can't be divided into " + std::to_string(groups) + " groups");
  const int64_t channels = x.shape()[1];
  const Value grouped = c.reshape(x, {0, groups, -1}, "/groups");
  const Value normal = c.reshape_like(normalized(c, grouped, {2}, c.real("epsilon", 1e-5f)), x, "/restored");
  const auto per_channel = [&](size_t i, const char* suffix) {
    const std::vector<float> given = parameter(c, i).to_f32();
    const auto count = static_cast<int64_t>(given.size());
    if (count != groups && count != channels) c.refuse("its parameters have " + std::to_string(count) + " values");
    std::vector<float> values;
    for (int64_t k = 0; k < channels; ++k) values.push_back(given[static_cast<size_t>(k * count / channels)]);
    return c.graph()
        .constant(floats_of(c.input(0).type(), channel_shape(c, channels), std::move(values)), c.name() + suffix)
        ->value();
  };
  return {c.binary("Add", c.binary("Multiply", normal, per_channel(1, "/scale"), "/scaled"), per_channel(2, "/bias"))};
}

/// No operator of Model Optimizer, which makes the same of its parts: over the axes from `axis` on.
std::vector<Value> layer_normalization(Context& c) {
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
std::vector<Value> image_scaler(Context& c) {
  const std::vector<float> bias = c.reals("bias");
  if (bias.empty()) c.refuse("it has no bias");
  Shape shape{static_cast<int64_t>(bias.size()), 1, 1};
  Value y = c.input(0);
  const double scale = c.real("scale", 1);
  if (scale != 1) y = c.binary("Multiply", y, scale, "/mul_");
  return {c.binary("Add", y, c.graph().constant(floats_of(y.type(), shape, bias), c.name() + "/bias")->value())};
}

/// The mask, where it is wanted, is true everywhere.
/// quirk: Model Optimizer does not make it.
std::vector<Value> dropout(Context& c) {
  if (c.quirks()) return {c.input(0)};
  const bool trains = c.has_input(2) && c.constant_integers(2, "training_mode").at(0) != 0;
  const double ratio = c.has_input(1) && c.constant(1) ? static_cast<double>(c.constant(1)->to_f32().at(0)) : 0.5;
  if (trains && (ratio != 0 || (c.has_input(1) && !c.constant(1))))
    c.refuse("it drops values at random, as in training; export the model in evaluation mode");
  if (c.output_count() < 2) return {c.input(0)};
  const Shape& shape = c.input(0).shape();
  if (!is_static(shape)) c.refuse("a mask of unknown shape is not supported");
  const ElementType type = c.opset() < 10 ? c.input(0).type() : ElementType::boolean;
  return {c.input(0), c.number_constant(type, shape, 1)};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

std::vector<Value> batch_normalization(Context& c) {
  if (c.output_count() > 1) c.refuse("Training mode of BatchNormalization is not supported.");
  const Value x = c.input(0), scale = c.input(1), bias = c.input(2), mean = c.input(3), variance = c.input(4);
  const double epsilon = c.has("epsilon") ? c.real("epsilon", 0) : 1e-5;
  return {c.make("BatchNormInference", {x, scale, bias, mean, variance}, attributes({{"epsilon", epsilon}}), 5)};
}

Value mvn(Context& c, Value x, Value axes, float epsilon, const char* where) {
  return c.make(
      "MVN", {x, axes},
      attributes(
          {{"eps", static_cast<double>(epsilon)}, {"normalize_variance", true}, {"eps_mode", std::string(where)}}),
      6);
}

std::vector<Value> instance_normalization(Context& c) {
  const Value x = c.input(0), scale = c.input(1), bias = c.input(2);
  const Value axes = c.list_i64(axes_from(2, c.rank(x)));
  const Value normalized = mvn(c, x, axes, c.real("epsilon", 1e-5f), "INSIDE_SQRT");
  const Value shape = c.shape_of(normalized), rank = c.shape_of(shape);
  const Value scaled = c.binary("Multiply", normalized, channel_reshape(c, scale, rank));
  return {c.binary("Add", scaled, channel_reshape(c, bias, rank))};
}

std::vector<Value> mean_variance_1(Context& c) {
  return {c.make("MVN", {c.input(0)},
                 attributes({{"across_channels", c.integer("across_channels", 0) != 0},
                             {"normalize_variance", c.integer("normalize_variance", 1) != 0},
                             {"eps", 1e-9}}),
                 0)};
}
std::vector<Value> mean_variance_9(Context& c) {
  const Value x = c.input(0);
  std::vector<int64_t> axes = c.integers("axes", {0, 2, 3});
  for (int64_t& a : axes) a = c.axis(a, c.rank(x));
  return {mvn(c, x, c.list_i64(axes), 1e-9f, "OUTSIDE_SQRT")};
}

std::vector<Value> local_response(Context& c) {
  const Value x = c.input(0);
  const auto attribute = [&](const char* a, double fallback) { return c.has(a) ? c.real(a, 0) : fallback; };
  const int64_t size = c.mandatory_integer("size");
  const Value axes = c.list_i64({1});
  return {c.make("LRN", {x, axes},
                 attributes({{"alpha", attribute("alpha", 1e-4)},
                             {"beta", attribute("beta", 0.75)},
                             {"bias", attribute("bias", 1)},
                             {"size", size}}))};
}

std::vector<Value> lp_normalization(Context& c) {
  const Value x = c.input(0);
  const int64_t p = c.integer("p", 2), axis = c.axis(c.integer("axis", -1), c.rank(x));
  if (p != 1 && p != 2)
    c.refuse("Invalid `p` attribute value: " + std::to_string(p) +
             "Only normalization of 1st or 2nd order is supported.");
  const Value axis_value = c.scalar_i64(axis);
  const bool keeps_axis = c.release().norms_by_power;
  const Value length = vector_norm(c, x, axis_value, p, keeps_axis);
  if (keeps_axis) return {c.binary("Divide", x, length)};
  const Value shape = c.shape_of(x);
  std::vector<int64_t> others = axes_from(0, c.rank(x));
  std::erase(others, axis);
  const Value mapping = c.list_i64(others);
  const Value divisor =
      c.make("Broadcast", {length, shape, mapping}, attributes({{"mode", std::string("explicit")}}), 3);
  return {c.binary("Divide", x, divisor)};
}

std::vector<Value> image_scaler(Context& c) {
  const Value x = c.input(0);
  const std::vector<float> biases = c.reals("bias");
  const auto count = static_cast<int64_t>(biases.size());
  if (c.rank(x) != 4 || x.shape()[1] != count)
    c.refuse("Bias attribute must be specified for each channel of the input tensor (NCHW layout is expected)");
  const Value scale = c.filled(x.type(), {}, c.real("scale", 1));
  const std::vector<double> values(biases.begin(), biases.end());
  const Value shift = c.constant(Tensor::reals(x.type(), {1, count, 1, 1}, values));
  const Value scaled = c.binary("Multiply", x, scale);
  return {c.binary("Add", scaled, shift)};
}

/// quirk: the input itself is the result, so that its node takes the name of the output.
std::vector<Value> dropout(Context& c) {
  const Value x = c.input(0);
  if (c.output_count() < 2) return {x};
  const Value shape = c.shape_of(x);
  const Value yes = c.filled(ElementType::boolean, {}, 1);
  return {x, c.make("Broadcast", {yes, shape}, attributes({{"mode", std::string("numpy")}}), 3)};
}

std::vector<Value> dropout_12(Context& c) {
  if (c.has_input(2)) {
    const auto training = c.known(c.input(2));
    if (!training) c.refuse("Non-constant training_mode input is not supported.");
    if (training->to_i64().at(0) != 0) c.refuse("Training mode is not supported for Dropout op");
  }
  return dropout(c);
}

}  // namespace

namespace {
Value squares_of(Context& c, Value x) {
  if (!c.release().norms_by_power) return c.binary("Multiply", x, x);
  const Value two = c.filled(x.type(), {}, 2);
  return c.binary("Power", x, two);
}
}  // namespace

Value vector_norm(Context& c, Value x, Value axes, int64_t p, bool keep_axes) {
  const Attributes keep = attributes({{"keep_dims", keep_axes}});
  if (p == 1) {
    const Value magnitudes = c.make("Abs", {x});
    const Value sum = c.make("ReduceSum", {magnitudes, axes}, keep);
    const Value bias = c.filled(x.type(), {}, 0);
    return c.binary("Add", sum, bias);
  }
  const Value squares = squares_of(c, x);
  const Value sum = c.make("ReduceSum", {squares, axes}, keep);
  const Value bias = c.filled(x.type(), {}, 0);
  const Value shifted = c.binary("Add", sum, bias);
  return c.make("Sqrt", {shifted});
}

}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"BatchNormalization", 1, "BatchNormInference", mo::batch_normalization, ie::batch_normalization},
    {"InstanceNormalization", 1, "MVN", mo::instance_normalization, ie::instance_normalization},
    {"MeanVarianceNormalization", 1, "MVN", mo::mean_variance, ie::mean_variance_1},
    {"MeanVarianceNormalization", 9, "MVN", mo::mean_variance, ie::mean_variance_9},
    {"GroupNormalization", 18, "MVN", mo::group_normalization, nullptr},
    {"LayerNormalization", 17, "MVN", mo::layer_normalization, nullptr},
    {"LRN", 1, "LRN", mo::local_response, ie::local_response},
    {"LpNormalization", 1, "NormalizeL2", mo::lp_normalization, ie::lp_normalization},
    {"ImageScaler", 1, "Add", mo::image_scaler, ie::image_scaler},
    {"Dropout", 1, "", mo::dropout, ie::dropout},
    {"Dropout", 12, "", mo::dropout, ie::dropout_12},
};

}  // namespace

std::span<const OperatorRow> normalization_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
