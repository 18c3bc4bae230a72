// The domain org.openvinotoolkit: operators of OpenVINO's own in ONNX files.
#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

std::vector<Value> swish(Recipe& r) {
  const Value x = r.input(0);
  if (!r.has_input(1)) return {r.make("Swish", {x, r.filled(x.type(), {}, 1)})};
  return {r.make("Swish", {x, interpret_as_scalar(r, r.input(1))})};
}

std::vector<Value> fake_quantize(Recipe& r) {
  std::vector<Value> inputs = r.inputs();
  if (inputs.size() != 5) r.refuse("it has " + std::to_string(inputs.size()) + " inputs, 5 expected");
  return {r.make("FakeQuantize", std::move(inputs), attributes({{"levels", r.mandatory_integer("levels")}}))};
}

constexpr Row kRows[] = {{"Swish", 1, swish}, {"FakeQuantize", 1, fake_quantize}};

}  // namespace

std::span<const Row> openvino_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
