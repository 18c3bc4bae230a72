// Normalizations, and Dropout, which does nothing at inference time.
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

std::vector<Value> batch_normalization(Recipe& r) {
  if (r.output_count() > 1) r.refuse("Training mode of BatchNormalization is not supported.");
  const Value x = r.input(0), scale = r.input(1), bias = r.input(2), mean = r.input(3), variance = r.input(4);
  const double epsilon = r.has("epsilon") ? static_cast<double>(r.real("epsilon", 0)) : 1e-5;
  return {r.make("BatchNormInference", {x, scale, bias, mean, variance}, attributes({{"epsilon", epsilon}}), 5)};
}

Value mvn(Recipe& r, Value x, Value axes, float epsilon, const char* where) {
  return r.make(
      "MVN", {x, axes},
      attributes(
          {{"eps", static_cast<double>(epsilon)}, {"normalize_variance", true}, {"eps_mode", std::string(where)}}),
      6);
}

std::vector<Value> instance_normalization(Recipe& r) {
  const Value x = r.input(0), scale = r.input(1), bias = r.input(2);
  const Value axes = r.list_i64(axes_from(2, r.rank(x)));
  const Value normalized = mvn(r, x, axes, r.real("epsilon", 1e-5f), "INSIDE_SQRT");
  const Value shape = r.shape_of(normalized), rank = r.shape_of(shape);
  const Value scaled = r.binary("Multiply", normalized, channel_reshape(r, scale, rank));
  return {r.binary("Add", scaled, channel_reshape(r, bias, rank))};
}

std::vector<Value> mean_variance_1(Recipe& r) {
  return {r.make("MVN", {r.input(0)},
                 attributes({{"across_channels", r.integer("across_channels", 0) != 0},
                             {"normalize_variance", r.integer("normalize_variance", 1) != 0},
                             {"eps", 1e-9}}),
                 0)};
}
std::vector<Value> mean_variance_9(Recipe& r) {
  const Value x = r.input(0);
  std::vector<int64_t> axes = r.integers("axes", {0, 2, 3});
  for (int64_t& a : axes) a = r.axis(a, r.rank(x));
  return {mvn(r, x, r.list_i64(axes), 1e-9f, "OUTSIDE_SQRT")};
}

std::vector<Value> local_response(Recipe& r) {
  const Value x = r.input(0);
  const auto attribute = [&](const char* a, double fallback) {
    return r.has(a) ? static_cast<double>(r.real(a, 0)) : fallback;
  };
  const int64_t size = r.mandatory_integer("size");
  const Value axes = r.list_i64({1});
  return {r.make("LRN", {x, axes},
                 attributes({{"alpha", attribute("alpha", 1e-4)},
                             {"beta", attribute("beta", 0.75)},
                             {"bias", attribute("bias", 1)},
                             {"size", size}}))};
}

std::vector<Value> lp_normalization(Recipe& r) {
  const Value x = r.input(0);
  const int64_t p = r.integer("p", 2), axis = r.axis(r.integer("axis", -1), r.rank(x));
  if (p != 1 && p != 2)
    r.refuse("Invalid `p` attribute value: " + std::to_string(p) +
             "Only normalization of 1st or 2nd order is supported.");
  const Value axis_value = r.scalar_i64(axis);
  const Value length = vector_norm(r, x, axis_value, p);
  const Value shape = r.shape_of(x);
  std::vector<int64_t> others = axes_from(0, r.rank(x));
  std::erase(others, axis);
  const Value mapping = r.list_i64(others);
  const Value divisor =
      r.make("Broadcast", {length, shape, mapping}, attributes({{"mode", std::string("explicit")}}), 3);
  return {r.binary("Divide", x, divisor)};
}

std::vector<Value> image_scaler(Recipe& r) {
  const Value x = r.input(0);
  const onnx_file::Attribute* bias = r.node().find("bias");
  const std::vector<float> biases = bias ? bias->reals : std::vector<float>{};
  const auto count = static_cast<int64_t>(biases.size());
  if (r.rank(x) != 4 || x.shape()[1] != count)
    r.refuse("Bias attribute must be specified for each channel of the input tensor (NCHW layout is expected)");
  const Value scale = r.filled(x.type(), {}, static_cast<double>(r.real("scale", 1)));
  const std::vector<double> values(biases.begin(), biases.end());
  const Value shift = r.constant(Tensor::reals(x.type(), {1, count, 1, 1}, values));
  const Value scaled = r.binary("Multiply", x, scale);
  return {r.binary("Add", scaled, shift)};
}

/// quirk: the input itself is the result, so that its node takes the name of the output.
std::vector<Value> dropout(Recipe& r) {
  const Value x = r.input(0);
  if (r.output_count() < 2) return {x};
  const Value shape = r.shape_of(x);
  const Value yes = r.filled(ElementType::boolean, {}, 1);
  return {x, r.make("Broadcast", {yes, shape}, attributes({{"mode", std::string("numpy")}}), 3)};
}

std::vector<Value> dropout_12(Recipe& r) {
  if (r.has_input(2)) {
    const auto training = r.known(r.input(2));
    if (!training) r.refuse("Non-constant training_mode input is not supported.");
    if (training->to_i64().at(0) != 0) r.refuse("Training mode is not supported for Dropout op");
  }
  return dropout(r);
}

constexpr Row kRows[] = {
    {"BatchNormalization", 1, batch_normalization},
    {"InstanceNormalization", 1, instance_normalization},
    {"MeanVarianceNormalization", 1, mean_variance_1},
    {"MeanVarianceNormalization", 9, mean_variance_9},
    {"LRN", 1, local_response},
    {"LpNormalization", 1, lp_normalization},
    {"ImageScaler", 1, image_scaler},
    {"Dropout", 1, dropout},
    {"Dropout", 12, dropout_12},
};

}  // namespace

std::span<const Row> normalization_recipes() { return kRows; }

Value vector_norm(Recipe& r, Value x, Value axes, int64_t p) {
  if (p == 1) {
    const Value magnitudes = r.make("Abs", {x});
    const Value sum = r.make("ReduceSum", {magnitudes, axes}, attributes({{"keep_dims", false}}));
    const Value bias = r.filled(x.type(), {}, 0);
    return r.binary("Add", sum, bias);
  }
  const Value squares = r.binary("Multiply", x, x);
  const Value sum = r.make("ReduceSum", {squares, axes}, attributes({{"keep_dims", false}}));
  const Value bias = r.filled(x.type(), {}, 0);
  const Value shifted = r.binary("Add", sum, bias);
  return r.make("Sqrt", {shifted});
}

}  // namespace blobsmith::onnx_native
