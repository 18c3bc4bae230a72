// Constants, what makes constants of shapes, and changes of type.
#include <algorithm>

#include "graph/ops/known_value.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

std::vector<Value> change_type(Context& c) {
  const std::optional<ElementType> type = onnx_file::element_type(c.integer("to", 1));
  if (!type) c.refuse("it converts to the element type number " + std::to_string(c.integer("to", 1)));
  // FP16 has more digits and a smaller range: neither the rounding nor the values would be the model's.
  if (*type == ElementType::bf16 || c.input(0).type() == ElementType::bf16)
    c.refuse("the chip has no BFLOAT16; export the model in FP32 or FP16");
  return {c.make("Convert", {c.input(0)}, attributes({{"destination_type", std::string(to_string(*type))}}))};
}

/// No operator of Model Optimizer: the type is that of the second input.
std::vector<Value> change_type_like(Context& c) {
  const ElementType type = c.input(1).type();
  if (type == ElementType::bf16 || c.input(0).type() == ElementType::bf16)
    c.refuse("the chip has no BFLOAT16; export the model in FP32 or FP16");
  return {c.make("Convert", {c.input(0)}, attributes({{"destination_type", std::string(to_string(type))}}))};
}

constexpr int64_t kLargestConstant = int64_t{1} << 28;

std::vector<Value> constant(Context& c) {
  using Kind = onnx_file::Attribute::Kind;
  const auto given = [&](Tensor t) { return std::vector<Value>{c.graph().constant(std::move(t), c.name())->value()}; };
  const auto one_of = [&](const char* name, Kind kind) {
    const onnx_file::Attribute* a = c.node().find(name);
    return a && a->kind == kind ? a : nullptr;
  };
  if (const auto* a = one_of("value", Kind::Tensor)) return given(a->tensor);
  if (const auto* a = one_of("value_float", Kind::Real))
    return given(Tensor::of(ElementType::f32, {}, std::vector<float>{a->real}));
  if (const auto* a = one_of("value_floats", Kind::Reals))
    return given(Tensor::of(ElementType::f32, {static_cast<int64_t>(a->reals.size())}, a->reals));
  if (const auto* a = one_of("value_int", Kind::Integer)) return given(Tensor::scalar_i64(a->integer));
  if (const auto* a = one_of("value_ints", Kind::Integers)) return given(Tensor::i64(a->integers));
  c.refuse("its value is missing or not a tensor of numbers");
}

std::vector<Value> constant_of_shape(Context& c) {
  const std::vector<int64_t> shape = c.constant_integers(0, "shape");
  for (int64_t d : shape)
    if (d < 0) c.refuse("its shape is " + to_string(shape));
  const onnx_file::Attribute* a = c.node().find("value");
  const bool given = a && a->kind == onnx_file::Attribute::Kind::Tensor;
  if (given && element_count(a->tensor.shape) != 1) c.refuse("its value has more than one element");
  if (element_count(shape) > kLargestConstant) c.refuse("its shape is too large: " + to_string(shape));
  Tensor value = given ? a->tensor : Tensor::of(ElementType::f32, {}, std::vector<float>{0});
  value.shape = {};
  return {c.make("Broadcast", {c.graph().constant(std::move(value))->value(), c.integers_constant(shape)},
                 attributes({{"mode", std::string("numpy")}}), 3)};
}

std::optional<ElementType> given_type(Context& c) {
  return c.has("dtype") ? onnx_file::element_type(c.integer("dtype", 0)) : ElementType::f32;
}

/// A constant of one value; the shape is an input, or an attribute (which Model Optimizer does not know).
std::vector<Value> constant_fill(Context& c) {
  std::vector<int64_t> shape = c.integer("input_as_shape", 0) ? c.constant_integers(0, "shape") : c.integers("shape");
  if (!c.integer("input_as_shape", 0) && c.has_input(0)) shape = c.input(0).shape();
  std::ranges::copy(c.integers("extra_shape"), std::back_inserter(shape));
  if (const auto type = given_type(c); type != ElementType::f32) c.refuse("its dtype is not FLOAT");
  for (int64_t d : shape)
    if (d < 0) c.refuse("its shape is " + to_string(shape));
  if (element_count(shape) > kLargestConstant) c.refuse("its shape is too large: " + to_string(shape));
  const Value v = c.number_constant(ElementType::f32, {}, c.real("value", 0));
  return {c.make("Broadcast", {v, c.integers_constant(shape)}, attributes({{"mode", std::string("numpy")}}), 3,
                 "/Broadcast")};
}

/// No operator of Model Optimizer: a constant, since shapes are.
std::vector<Value> eye_like(Context& c) {
  const Shape shape = c.input(0).shape();
  if (shape.size() != 2 || !is_static(shape) || element_count(shape) > kLargestConstant)
    c.refuse("its shape is " + to_string(shape));
  if (const auto type = given_type(c); !type || !is_float(*type)) c.refuse("its dtype is not a floating type");
  std::vector<float> eye(static_cast<size_t>(element_count(shape)), 0.0f);
  const int64_t k = c.integer("k", 0);
  if (k > -shape[0] && k < shape[1])
    for (int64_t row = std::max<int64_t>(0, -k); row < shape[0] && row + k < shape[1]; ++row)
      eye[static_cast<size_t>(row * shape[1] + row + k)] = 1;
  return {c.graph().constant(Tensor::of(ElementType::f32, shape, std::move(eye)), c.name())->value()};
}

std::vector<Value> range(Context& c) {
  std::vector<Value> bounds;
  for (size_t i = 0; i < 3; ++i) {
    auto known = known_value(c.input(i));
    if (!known || element_count(known->shape) != 1) c.refuse("its bounds are not constants");
    known->shape = {};
    bounds.push_back(c.input(i).node->is_constant() ? c.scalar(c.input(i)) : c.graph().constant(*known)->value());
  }
  return {c.make("Range", bounds, attributes({{"output_type", std::string(to_string(c.input(0).type()))}}), 4)};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

std::vector<Value> constant(Context& c) {
  using Kind = onnx_file::Attribute::Kind;
  for (const auto& [name, a] : c.node().attributes) {
    const auto count = [](const auto& list) { return static_cast<int64_t>(list.size()); };
    if (name == "value" && a.kind == Kind::Tensor) return {c.constant(a.tensor)};
    if (name == "value_float" && a.kind == Kind::Real)
      return {c.constant(Tensor::of(ElementType::f32, {}, std::vector<float>{a.real}))};
    if (name == "value_floats" && a.kind == Kind::Reals)
      return {c.constant(Tensor::of(ElementType::f32, {count(a.reals)}, a.reals))};
    if (name == "value_int" && a.kind == Kind::Integer) return {c.scalar_i64(a.integer)};
    if (name == "value_ints" && a.kind == Kind::Integers) return {c.list_i64(a.integers)};
  }
  c.refuse("The Constant op expects exactly one attribute. Got: " + std::to_string(c.node().attributes.size()));
}

Value filled_shape(Context& c, Value value, Value shape) {
  return c.make("Broadcast", {value, shape}, attributes({{"mode", std::string("numpy")}}), 3);
}

std::vector<Value> constant_of_shape(Context& c) {
  const onnx_file::Attribute* value = c.node().find("value");
  const Value scalar = value ? interpret_as_scalar(c, c.constant(value->tensor)) : c.filled(ElementType::f32, {}, 0);
  if (element_count(c.input(0).shape()) == 0) return {scalar};
  return {filled_shape(c, scalar, c.input(0))};
}

std::vector<Value> constant_fill(Context& c) {
  const std::optional<ElementType> type = onnx_file::element_type(c.integer("dtype", 1));
  if (!type) c.refuse("unsupported element type: " + std::to_string(c.integer("dtype", 1)));
  const Value value = c.filled(*type, {}, c.real("value", 0));
  if (c.integer("input_as_shape", 1) == 1) return {filled_shape(c, value, c.input(0))};
  const Value shape = c.list_i64(c.integers("shape"));
  return {filled_shape(c, value, shape)};
}

constexpr int64_t kLargestEye = int64_t{1} << 24;

/// [size, size] with ones on the diagonal: rows of a one and `size` zeros, one behind the other, wrap to it.
Value identity_matrix(Context& c, Value size, ElementType type) {
  const Value zero = c.filled(type, {1}, 0), one = c.filled(type, {1}, 1);
  const Value row = c.concat({one, c.make("Tile", {zero, size})}, 0);
  const Value unit = c.list_i64({1});
  const Value rows = c.make("Tile", {row, c.binary("Subtract", size, unit)});
  const Value values = c.concat({rows, one}, 0);
  return c.reshape(values, c.concat({size, size}, 0), false);
}

/// The identity with zeros around it, all sizes computed from the shape of x.
Value eye_of_shape(Context& c, Value x, ElementType type, int64_t shift) {
  const Value shape = c.shape_of(x), axis = c.list_i64({0});
  const Value height = c.gather(shape, c.list_i64({0}), axis), width = c.gather(shape, c.list_i64({1}), axis);
  const int64_t left = std::max<int64_t>(shift, 0), top = std::max<int64_t>(-shift, 0);
  const Value lefts = c.list_i64({left}), tops = c.list_i64({top}), both = c.list_i64({top, left});
  const Value zero = c.list_i64({0});
  const Value fitting =
      c.make("ReduceMin", {c.binary("Subtract", shape, both), zero}, attributes({{"keep_dims", true}}));
  const Value size = c.binary("Maximum", fitting, zero);
  const Value right = c.binary("Subtract", c.binary("Subtract", width, size), lefts);
  const Value bottom = c.binary("Subtract", c.binary("Subtract", height, size), tops);
  const Value matrix = identity_matrix(c, size, type);
  const Value begin = c.concat({tops, lefts}, 0), end = c.concat({bottom, right}, 0);
  const Value fill = c.filled(type, {}, 0);
  return c.make("Pad", {matrix, begin, end, fill}, attributes({{"pad_mode", std::string("constant")}}));
}

std::vector<Value> eye_like(Context& c) {
  const Value x = c.input(0);
  if (c.rank(x) != 2)
    c.refuse("The provided shape rank: " + std::to_string(c.rank(x)) + " is unsupported, only 2D shapes are supported");
  if (!is_static(x.shape()) || element_count(x.shape()) > kLargestEye)
    c.refuse("its shape " + to_string(x.shape()) + " is not supported");
  const std::optional<ElementType> type = c.has("dtype") ? onnx_file::element_type(c.integer("dtype", 1)) : x.type();
  if (!type) c.refuse("unsupported element type: " + std::to_string(c.integer("dtype", 1)));
  const int64_t rows = x.shape()[0], columns = x.shape()[1], shift = c.integer("k", 0);
  if (c.release().eye_by_arithmetic) return {eye_of_shape(c, x, *type, shift)};
  std::vector<float> values(static_cast<size_t>(rows * columns), 0.0f);
  for (int64_t row = 0; row < rows; ++row)
    if (shift > -rows && shift < columns && row + shift >= 0 && row + shift < columns)
      values[static_cast<size_t>(row * columns + row + shift)] = 1;
  return {c.constant(cast(Tensor::of(ElementType::f32, x.shape(), std::move(values)), *type))};
}

std::vector<Value> range(Context& c) {
  const Value begin = interpret_as_scalar(c, c.input(0)), end = interpret_as_scalar(c, c.input(1)),
              step = interpret_as_scalar(c, c.input(2));
  return {c.make("Range", {begin, end, step}, attributes({{"output_type", std::string(to_string(begin.type()))}}), 4)};
}

std::vector<Value> change_type(Context& c) {
  const int64_t to = c.mandatory_integer("to");
  const std::optional<ElementType> type = onnx_file::element_type(to);
  if (!type) c.refuse("unsupported element type: " + std::to_string(to));
  return {c.convert(c.input(0), *type)};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"Constant", 1, "Constant", mo::constant, ie::constant},
    {"ConstantOfShape", 1, "Broadcast", mo::constant_of_shape, ie::constant_of_shape},
    {"ConstantFill", 1, "Broadcast", mo::constant_fill, ie::constant_fill},
    {"EyeLike", 1, "Constant", mo::eye_like, ie::eye_like},
    {"Range", 1, "Range", mo::range, ie::range},
    {"Cast", 1, "Convert", mo::change_type, ie::change_type},
    {"CastLike", 15, "Convert", mo::change_type_like, nullptr},
};

}  // namespace

std::span<const OperatorRow> constant_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
