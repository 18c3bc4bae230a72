// The domain org.openvinotoolkit: operators of OpenVINO's own in ONNX files.
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

std::vector<Value> swish(Recipe& r) {
  const Value x = r.input(0);
  const Value beta = r.has_input(1) ? interpret_as_scalar(r, r.input(1)) : r.filled(x.type(), {}, 1);
  return {r.make("Swish", {x, beta})};
}

std::vector<Value> fake_quantize(Recipe& r) {
  std::vector<Value> inputs = r.inputs();
  if (inputs.size() != 5) r.refuse("it has " + std::to_string(inputs.size()) + " inputs, 5 expected");
  return {r.make("FakeQuantize", std::move(inputs), attributes({{"levels", r.mandatory_integer("levels")}}))};
}

/// [batch * groups, channels / groups, ...]
Value grouped_shape(Recipe& r, Value x, int64_t groups) {
  const Value shape = r.shape_of(x);
  std::vector<Value> dims = r.split(shape, r.rank(x), 0);
  const Value count = r.list_i64({groups});
  dims.at(0) = r.binary("Multiply", dims.at(0), count);
  dims.at(1) = r.binary("Divide", dims.at(1), count);
  return r.concat(std::move(dims), 0);
}

std::vector<Value> group_norm(Recipe& r) {
  const Value x = r.input(0), scale = r.input(1), bias = r.input(2);
  if (r.rank(x) < 3 || !is_static(x.shape())) r.refuse("its input has the shape " + to_string(x.shape()));
  const Value shape = r.shape_of(x);
  const Value grouped = r.reshape(x, grouped_shape(r, x, r.mandatory_integer("num_groups")), true);
  const Value axes = r.list_i64(axes_from(1, r.rank(x)));
  const Value normalized = r.make("MVN", {grouped, axes},
                                  attributes({{"eps", static_cast<double>(r.real("eps", 1e-6f))},
                                              {"normalize_variance", true},
                                              {"eps_mode", std::string("INSIDE_SQRT")}}),
                                  6);
  const Value restored = r.reshape(normalized, shape, true);
  const Value rank = r.shape_of(shape);
  const Value scaled = r.binary("Multiply", restored, channel_reshape(r, scale, rank));
  return {r.binary("Add", scaled, channel_reshape(r, bias, rank))};
}

std::vector<Value> normalize(Recipe& r) {
  const Value x = r.input(0);
  const int64_t rank = r.rank(x);
  if (rank < 2) r.refuse("its input has " + std::to_string(rank) + " dimensions");
  const bool across = r.integer("across_spatial", 0) != 0, shared = r.integer("channel_shared", 0) != 0;
  Value weights = r.input(1);
  if (!shared) {
    std::vector<int64_t> shape(static_cast<size_t>(rank), 1);
    shape[1] = x.shape()[1];
    const Value pattern = r.list_i64(shape);
    weights = r.reshape(weights, pattern, true);
  }
  const Value axes = r.list_i64(across ? axes_from(1, rank) : std::vector<int64_t>{1});
  const Value normalized =
      r.make("NormalizeL2", {x, axes},
             attributes({{"eps", static_cast<double>(r.real("eps", 1e-6f))}, {"eps_mode", std::string("add")}}));
  return {r.binary("Multiply", normalized, weights)};
}

constexpr Row kRows[] = {
    {"Swish", 1, swish}, {"FakeQuantize", 1, fake_quantize}, {"GroupNorm", 1, group_norm}, {"Normalize", 1, normalize}};

}  // namespace

std::span<const Row> openvino_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
