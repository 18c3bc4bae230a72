// The domain org.openvinotoolkit: operators of OpenVINO's own in ONNX files.
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

/// x sigmoid(alpha x): alpha is an input of OpenVINO's operator, an attribute of ONNX's (opset 24).
/// quirk: Model Optimizer forgets it.
std::vector<Value> swish(Context& c) {
  const Value x = c.input(0);
  if (c.quirks() || (!c.has("alpha") && !c.has_input(1))) return {c.make("Swish", {x})};
  const Value alpha = c.has_input(1) ? c.scalar(c.input(1)) : c.number_constant(x.type(), {}, c.real("alpha", 1));
  return {c.make("Swish", {x, alpha})};
}
}  // namespace
}  // namespace mo

namespace ie {
namespace {

std::vector<Value> swish(Context& c) {
  const Value x = c.input(0);
  const Value beta = c.has_input(1) ? interpret_as_scalar(c, c.input(1)) : c.filled(x.type(), {}, 1);
  return {c.make("Swish", {x, beta})};
}

std::vector<Value> fake_quantize(Context& c) {
  std::vector<Value> inputs = c.inputs();
  if (inputs.size() != 5) c.refuse("it has " + std::to_string(inputs.size()) + " inputs, 5 expected");
  return {c.make("FakeQuantize", std::move(inputs), attributes({{"levels", c.mandatory_integer("levels")}}))};
}

/// [batch * groups, channels / groups, ...]
Value grouped_shape(Context& c, Value x, int64_t groups) {
  const Value shape = c.shape_of(x);
  std::vector<Value> dims = c.split(shape, c.rank(x), 0);
  const Value count = c.list_i64({groups});
  dims.at(0) = c.binary("Multiply", dims.at(0), count);
  dims.at(1) = c.binary("Divide", dims.at(1), count);
  return c.concat(std::move(dims), 0);
}

std::vector<Value> group_norm(Context& c) {
  const Value x = c.input(0), scale = c.input(1), bias = c.input(2);
  if (c.rank(x) < 3 || !is_static(x.shape())) c.refuse("its input has the shape " + to_string(x.shape()));
  const Value shape = c.shape_of(x);
  const Value grouped = c.reshape(x, grouped_shape(c, x, c.mandatory_integer("num_groups")), true);
  const Value axes = c.list_i64(axes_from(1, c.rank(x)));
  const Value normalized = c.make(
      "MVN", {grouped, axes},
      attributes(
          {{"eps", c.real("eps", 1e-6f)}, {"normalize_variance", true}, {"eps_mode", std::string("INSIDE_SQRT")}}),
      6);
  const Value restored = c.reshape(normalized, shape, true);
  const Value rank = c.shape_of(shape);
  const Value scaled = c.binary("Multiply", restored, channel_reshape(c, scale, rank));
  return {c.binary("Add", scaled, channel_reshape(c, bias, rank))};
}

std::vector<Value> normalize(Context& c) {
  const Value x = c.input(0);
  const int64_t rank = c.rank(x);
  if (rank < 2) c.refuse("its input has " + std::to_string(rank) + " dimensions");
  const bool across = c.integer("across_spatial", 0) != 0, shared = c.integer("channel_shared", 0) != 0;
  Value weights = c.input(1);
  if (!shared) {
    std::vector<int64_t> shape(static_cast<size_t>(rank), 1);
    shape[1] = x.shape()[1];
    const Value pattern = c.list_i64(shape);
    weights = c.reshape(weights, pattern, true);
  }
  const Value axes = c.list_i64(across ? axes_from(1, rank) : std::vector<int64_t>{1});
  const Value normalized =
      c.make("NormalizeL2", {x, axes}, attributes({{"eps", c.real("eps", 1e-6f)}, {"eps_mode", std::string("add")}}));
  return {c.binary("Multiply", normalized, weights)};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"Swish", 1, "Swish", mo::swish, ie::swish},
    {"FakeQuantize", 1, "FakeQuantize", nullptr, ie::fake_quantize},
    {"GroupNorm", 1, "MVN", nullptr, ie::group_norm},
    {"Normalize", 1, "NormalizeL2", nullptr, ie::normalize},
};

}  // namespace

std::span<const OperatorRow> openvino_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
