// Constants, what makes constants of shapes, and changes of type.
#include <algorithm>

#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

std::vector<Value> constant(Recipe& r) {
  using Kind = onnx_file::Attribute::Kind;
  for (const auto& [name, a] : r.node().attributes) {
    const auto count = [](const auto& list) { return static_cast<int64_t>(list.size()); };
    if (name == "value" && a.kind == Kind::Tensor) return {r.constant(a.tensor)};
    if (name == "value_float" && a.kind == Kind::Real)
      return {r.constant(Tensor::of(ElementType::f32, {}, std::vector<float>{a.real}))};
    if (name == "value_floats" && a.kind == Kind::Reals)
      return {r.constant(Tensor::of(ElementType::f32, {count(a.reals)}, a.reals))};
    if (name == "value_int" && a.kind == Kind::Integer) return {r.scalar_i64(a.integer)};
    if (name == "value_ints" && a.kind == Kind::Integers) return {r.list_i64(a.integers)};
  }
  r.refuse("The Constant op expects exactly one attribute. Got: " + std::to_string(r.node().attributes.size()));
}

Value filled_shape(Recipe& r, Value value, Value shape) {
  return r.make("Broadcast", {value, shape}, attributes({{"mode", std::string("numpy")}}), 3);
}

std::vector<Value> constant_of_shape(Recipe& r) {
  const onnx_file::Attribute* value = r.node().find("value");
  const Value scalar = value ? interpret_as_scalar(r, r.constant(value->tensor)) : r.filled(ElementType::f32, {}, 0);
  if (element_count(r.input(0).shape()) == 0) return {scalar};
  return {filled_shape(r, scalar, r.input(0))};
}

std::vector<Value> constant_fill(Recipe& r) {
  const std::optional<ElementType> type = onnx_file::element_type(r.integer("dtype", 1));
  if (!type) r.refuse("unsupported element type: " + std::to_string(r.integer("dtype", 1)));
  const Value value = r.filled(*type, {}, static_cast<double>(r.real("value", 0)));
  if (r.integer("input_as_shape", 1) == 1) return {filled_shape(r, value, r.input(0))};
  const Value shape = r.list_i64(r.integers("shape"));
  return {filled_shape(r, value, shape)};
}

constexpr int64_t kLargestEye = int64_t{1} << 24;

std::vector<Value> eye_like(Recipe& r) {
  const Value x = r.input(0);
  if (r.rank(x) != 2)
    r.refuse("The provided shape rank: " + std::to_string(r.rank(x)) + " is unsupported, only 2D shapes are supported");
  if (!is_static(x.shape()) || element_count(x.shape()) > kLargestEye)
    r.refuse("its shape " + to_string(x.shape()) + " is not supported");
  const std::optional<ElementType> type = r.has("dtype") ? onnx_file::element_type(r.integer("dtype", 1)) : x.type();
  if (!type) r.refuse("unsupported element type: " + std::to_string(r.integer("dtype", 1)));
  const int64_t rows = x.shape()[0], columns = x.shape()[1], shift = r.integer("k", 0);
  std::vector<float> values(static_cast<size_t>(rows * columns), 0.0f);
  for (int64_t row = 0; row < rows; ++row)
    if (shift > -rows && shift < columns && row + shift >= 0 && row + shift < columns)
      values[static_cast<size_t>(row * columns + row + shift)] = 1;
  return {r.constant(cast(Tensor::of(ElementType::f32, x.shape(), std::move(values)), *type))};
}

std::vector<Value> range(Recipe& r) {
  const Value begin = interpret_as_scalar(r, r.input(0)), end = interpret_as_scalar(r, r.input(1)),
              step = interpret_as_scalar(r, r.input(2));
  return {r.make("Range", {begin, end, step}, attributes({{"output_type", std::string(to_string(begin.type()))}}), 4)};
}

std::vector<Value> change_type(Recipe& r) {
  const int64_t to = r.mandatory_integer("to");
  const std::optional<ElementType> type = onnx_file::element_type(to);
  if (!type) r.refuse("unsupported element type: " + std::to_string(to));
  return {r.convert(r.input(0), *type)};
}

constexpr Row kRows[] = {
    {"Constant", 1, constant},          {"Constant", 13, constant}, {"ConstantOfShape", 1, constant_of_shape},
    {"ConstantFill", 1, constant_fill}, {"EyeLike", 1, eye_like},   {"Range", 1, range},
    {"Cast", 1, change_type},
};

}  // namespace

std::span<const Row> constant_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
