// Normalizations.
#include <cmath>

#include "importers/caffe/operators.hpp"

namespace blobsmith::caffe {
namespace {

/// Multiply, Add, Multiply by 1, Add 0, as Model Optimizer has them before it makes one Multiply and one Add of them:
/// the last two decide on the names. Statistics are computed in double precision (model-optimizer spec §6.2).
std::vector<Value> batch_norm(Context& c) {
  const Message& p = c.parameters("batch_norm_param");
  const double eps = p.real("eps", 1e-5f);
  std::vector<double> mean = c.blob_values(0), variance = c.blob_values(1);
  if (mean.size() != variance.size() || mean.empty()) c.refuse("its mean and its variance differ in size");
  if (c.has_blob(2)) {
    const std::vector<double> count = c.blob_values(2);
    const double factor = count.empty() || count[0] == 0 ? 0 : 1 / count[0];
    for (double& v : mean) v *= factor;
    for (double& v : variance) v *= factor;
  }
  std::vector<double> scale(mean.size()), shift(mean.size());
  for (size_t i = 0; i < mean.size(); ++i) {
    scale[i] = 1 / std::sqrt(variance[i] + eps);
    shift[i] = mean[i] * scale[i] * -1;
  }
  const size_t count = mean.size();
  Value v = c.linear("Multiply", c.input(0), std::move(scale), 1, "/mean");
  v = c.linear("Add", v, std::move(shift), 1, "/variance");
  // Some forks keep scale and bias here.
  const bool learned = p.flag("scale_bias", false);
  if (learned && c.has_blob(4)) {
    v = c.linear("Multiply", v, c.blob_values(3), 1, "/gamma");
    return {c.linear("Add", v, c.blob_values(4), 1, "/beta")};
  }
  if (learned) c.refuse("it has no blobs for its scale and bias");
  v = c.linear("Multiply", v, std::vector<double>(count, 1), 1, "/gamma");
  return {c.linear("Add", v, std::vector<double>(count, 0), 1, "/beta")};
}

/// Older than BatchNorm: scale, bias, mean, variance.
std::vector<Value> bn(Context& c) {
  const double eps = c.parameters("bn_param").real("eps", 1e-5f);
  const std::vector<double> gamma = c.blob_values(0), beta = c.blob_values(1), mean = c.blob_values(2),
                            variance = c.blob_values(3);
  if (gamma.size() != beta.size() || gamma.size() != mean.size() || gamma.size() != variance.size())
    c.refuse("its blobs differ in size");
  std::vector<double> scale(gamma.size()), shift(gamma.size());
  for (size_t i = 0; i < gamma.size(); ++i) {
    scale[i] = 1 / std::sqrt(variance[i] + eps) * gamma[i];
    shift[i] = beta[i] - mean[i] * scale[i];
  }
  const Value v = c.linear("Multiply", c.input(0), std::move(scale), 1, "/ScaleShift_/Mul_");
  return {c.linear("Add", v, std::move(shift), 1, "/ScaleShift_/Add_")};
}

std::vector<Value> local_response(Context& c) {
  const Message& p = c.parameters("lrn_param");
  const std::string region = p.text("norm_region", "ACROSS_CHANNELS");
  const bool within = region == "WITHIN_CHANNEL" || region == "1";
  const Attributes a = attributes({{"alpha", p.real("alpha", 1)},
                                   {"beta", p.real("beta", 0.75f)},
                                   {"bias", p.real("k", 1)},
                                   {"size", p.integer("local_size", 5)}});
  return {c.make("LRN",
                 {c.input(0), c.integers_constant(within ? std::vector<int64_t>{2, 3} : std::vector<int64_t>{1})}, a)};
}

std::vector<Value> mean_variance(Context& c) {
  const Message& p = c.parameters("mvn_param");
  std::vector<int64_t> axes;
  const bool across = p.flag("across_channels", false) && !c.quirks();  // quirk: always over the plane
  for (int64_t i = across ? 1 : 2; i < c.rank(); ++i) axes.push_back(i);
  return {c.make("MVN", {c.input(0), c.quirks() ? c.axes_from(c.input(0), 2) : c.integers_constant(axes)},
                 attributes({{"eps", p.real("eps", 1e-9f)},
                             {"eps_mode", std::string("inside_sqrt")},
                             {"normalize_variance", p.flag("normalize_variance", true)}}),
                 6)};
}

/// SSD's: over the channels or all values of an image, times a learned factor.
std::vector<Value> normalize(Context& c) {
  const Message& p = c.parameters("norm_param");
  std::vector<int64_t> axes{1};
  if (p.flag("across_spatial", true))
    for (int64_t i = 2; i < c.rank(); ++i) axes.push_back(i);
  p.mark_read("channel_shared");
  const Value normal = c.make("NormalizeL2", {c.input(0), c.integers_constant(axes, "/NormalizeL2/axes")},
                              attributes({{"eps", p.real("eps", 1e-10f)}, {"eps_mode", std::string("add")}}),
                              Context::kNewest, "/NormalizeL2");
  const Tensor& factors = c.blob(0);
  const int64_t count = element_count(factors.shape);
  Shape shape{1};
  if (count != 1) {
    shape.resize(c.shape().size(), 1);
    if (shape.size() < 2 || c.shape()[1] != count) c.refuse("it has " + std::to_string(count) + " factors");
    shape[1] = count;
  }
  return {c.factor_of_norm(normal, {factors.type, shape, factors.bytes})};
}

std::vector<Value> global_response(Context& c) {
  return {c.make("GRN", {c.input(0)}, attributes({{"bias", c.parameters("grn_param").real("bias", 1)}}))};
}

// type, becomes, conversion, limits
constexpr OperatorRow kOperators[] = {
    {"BatchNorm", "Multiply", batch_norm, "statistics of the weights file"},
    {"BN", "Multiply", bn},
    {"GRN", "GRN", global_response},
    {"LRN", "LRN", local_response},
    {"MVN", "MVN", mean_variance},
    {"Normalize", "NormalizeL2", normalize},
};

}  // namespace

std::span<const OperatorRow> normalization_operators() { return kOperators; }

}  // namespace blobsmith::caffe
