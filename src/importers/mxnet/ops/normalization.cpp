// Normalizations.
#include <cmath>

#include "importers/mxnet/operators.hpp"

namespace blobsmith::mxnet {
namespace {

/// Multiply, Add, Multiply, Add; the fusing of linear sequences makes one Multiply and one Add of them. The first two
/// constants are computed in single precision (model-optimizer spec §6.2).
std::vector<Value> batch_norm(Context& c) {
  const size_t axis = c.axis(c.integer("axis", 1));
  const auto eps = static_cast<float>(c.real("eps", 1e-3));
  std::vector<float> gamma = c.parameter_values(1);
  const std::vector<float> beta = c.parameter_values(2), mean = c.parameter_values(3), variance = c.parameter_values(4);
  if (gamma.size() != beta.size() || gamma.size() != mean.size() || gamma.size() != variance.size() || gamma.empty())
    c.refuse("its parameters differ in size");
  // quirk: without the attribute MXNet takes gamma for 1, Model Optimizer takes it as it is.
  if (c.flag("fix_gamma", !c.quirks())) gamma.assign(gamma.size(), 1);
  std::vector<float> scale(gamma.size()), shift(gamma.size());
  for (size_t i = 0; i < scale.size(); ++i) {
    scale[i] = 1.0f / std::sqrt(variance[i] + eps);
    shift[i] = mean[i] * scale[i] * -1.0f;
  }
  Value v = c.linear("Multiply", c.input(0), std::move(scale), axis, "/mean");
  v = c.linear("Add", v, std::move(shift), axis, "/variance");
  v = c.linear("Multiply", v, std::move(gamma), axis, "/gamma");
  return {c.linear("Add", v, beta, axis, "/beta")};
}

Value per_channel(Context& c, size_t i, const std::string& suffix) {
  const Tensor& t = c.parameter(i);
  Shape shape(c.shape().size(), 1);
  const int64_t count = element_count(t.shape);
  if (shape.size() < 2 || c.shape()[1] != count) c.refuse("its parameters do not have one value per channel");
  shape[1] = count;
  return c.constant({t.type, std::move(shape), t.bytes}, suffix);
}

Value mean_variance(Context& c, Value axes, double eps, const std::string& suffix) {
  return c.make("MVN", {c.input(0), axes},
                attributes({{"eps", eps}, {"eps_mode", std::string("inside_sqrt")}, {"normalize_variance", true}}), 6,
                suffix);
}

std::vector<Value> instance_norm(Context& c) {
  std::vector<int64_t> axes;
  for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  const auto eps = static_cast<double>(static_cast<float>(c.real("eps", 1e-3)));
  const Value planes = c.quirks() ? c.axes_from(c.input(0), 2) : c.integers_constant(axes);
  const Value normal = mean_variance(c, planes, eps, "/Ins_Norm/MVN_");
  const Value scaled =
      c.make("Multiply", {normal, per_channel(c, 1, "/scale")}, {}, Context::kNewest, "/Ins_Norm/mul_");
  return {c.make("Add", {scaled, per_channel(c, 2, "/bias")})};
}

/// No operator of Model Optimizer: along one axis.
std::vector<Value> layer_norm(Context& c) {
  const size_t axis = c.axis(c.integer("axis", -1));
  const Value normal = mean_variance(c, c.integers_constant({static_cast<int64_t>(axis)}), c.real("eps", 1e-5), "/MVN");
  const Value scaled = c.linear("Multiply", normal, c.parameter_values(1), axis, "/mul_");
  return {c.linear("Add", scaled, c.parameter_values(2), axis)};
}

std::vector<Value> l2_normalization(Context& c) {
  const std::string mode = c.text("mode", "instance");
  std::vector<int64_t> axes{1};
  if (mode == "instance" && !c.quirks())
    for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  else if (mode == "spatial" && !c.quirks())
    axes.clear();
  if (axes.empty())
    for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  const Value normal = c.make("NormalizeL2", {c.input(0), c.integers_constant(axes, "/NormalizeL2/axes")},
                              attributes({{"eps", static_cast<double>(static_cast<float>(c.real("eps", 1e-10)))},
                                          {"eps_mode", std::string("add")}}),
                              Context::kNewest, "/NormalizeL2");
  return {c.factor_of_norm(normal, Tensor::of(ElementType::f32, {1}, std::vector<float>{1}))};
}

std::vector<Value> local_response(Context& c) {
  return {c.make("LRN", {c.input(0), c.integers_constant({1})},
                 attributes({{"alpha", c.real("alpha", 1e-4)},
                             {"beta", c.real("beta", 0.75)},
                             {"bias", c.real("knorm", 2)},
                             {"size", c.integer("nsize", 5)}}))};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"BatchNorm", "Multiply", batch_norm, "parameters of the file"},
    {"BatchNorm_v1", "Multiply", batch_norm, "parameters of the file"},
    {"InstanceNorm", "MVN", instance_norm},
    {"L2Normalization", "NormalizeL2", l2_normalization},
    {"LRN", "LRN", local_response},
    {"LayerNorm", "MVN", layer_norm},
};

}  // namespace

std::span<const OperatorRow> normalization_operators() { return kOperators; }

}  // namespace blobsmith::mxnet
