// Constants, and operators that read or write by index.
#include <algorithm>
#include <iterator>

#include "importers/onnx/mapper.hpp"

namespace blobsmith::onnx_import {
namespace {

constexpr int64_t kLargestConstant = int64_t{1} << 28;

std::vector<Value> map_constant(Context& c) {
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

std::vector<Value> map_constant_of_shape(Context& c) {
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

/// A constant of one value; the shape is an input, or an attribute (which Model Optimizer does not know).
std::vector<Value> map_constant_fill(Context& c) {
  std::vector<int64_t> shape = c.integer("input_as_shape", 0) ? c.constant_integers(0, "shape") : c.integers("shape");
  if (!c.integer("input_as_shape", 0) && c.has_input(0)) shape = c.input(0).shape();
  std::ranges::copy(c.integers("extra_shape"), std::back_inserter(shape));
  if (c.integer("dtype", 1) != 1) c.refuse("its dtype is not FLOAT");
  for (int64_t d : shape)
    if (d < 0) c.refuse("its shape is " + to_string(shape));
  if (element_count(shape) > kLargestConstant) c.refuse("its shape is too large: " + to_string(shape));
  const Value v = c.number_constant(ElementType::f32, {}, c.real("value", 0));
  return {c.make("Broadcast", {v, c.integers_constant(shape)}, attributes({{"mode", std::string("numpy")}}), 3,
                 "/Broadcast")};
}

/// No operator of Model Optimizer: a constant, since shapes are.
std::vector<Value> map_eye_like(Context& c) {
  const Shape shape = c.input(0).shape();
  if (shape.size() != 2 || !is_static(shape) || element_count(shape) > kLargestConstant)
    c.refuse("its shape is " + to_string(shape));
  if (const int64_t type = c.integer("dtype", 1); type != 1 && type != 10 && type != 11)
    c.refuse("its dtype is no floating type");
  std::vector<float> eye(static_cast<size_t>(element_count(shape)), 0.0f);
  const int64_t k = c.integer("k", 0);
  if (k > -shape[0] && k < shape[1])
    for (int64_t row = std::max<int64_t>(0, -k); row < shape[0] && row + k < shape[1]; ++row)
      eye[static_cast<size_t>(row * shape[1] + row + k)] = 1;
  return {c.graph().constant(Tensor::of(ElementType::f32, shape, std::move(eye)), c.name())->value()};
}

/// No operator of Model Optimizer: the slices that a constant condition chooses.
std::vector<Value> map_compress(Context& c) {
  const bool flat = !c.node().find("axis");
  const Value x = flat ? c.reshape(c.input(0), {-1}, "/flat") : c.input(0);
  const int64_t axis = flat ? 0 : c.axis(c.integer("axis", 0), c.rank());
  const std::vector<int64_t> chosen = c.constant_integers(1, "condition");
  if (static_cast<int64_t>(chosen.size()) > x.shape().at(static_cast<size_t>(axis)))
    c.refuse("its condition is longer than the axis");
  std::vector<int64_t> positions;
  for (size_t i = 0; i < chosen.size(); ++i)
    if (chosen[i]) positions.push_back(static_cast<int64_t>(i));
  if (positions.empty()) c.refuse("its condition chooses nothing");
  return {c.make("Gather", {x, c.integers_constant(positions), c.integer_constant(axis)},
                 attributes({{"batch_dims", int64_t{0}}}), 7)};
}

std::vector<Value> map_range(Context& c) {
  for (size_t i = 0; i < 3; ++i)
    if (!c.constant(i)) c.refuse("its bounds are not constants");
  return {c.make("Range", {c.scalar(c.input(0)), c.scalar(c.input(1)), c.scalar(c.input(2))},
                 attributes({{"output_type", std::string(to_string(c.input(0).type()))}}), 4)};
}

std::vector<Value> map_gather(Context& c) {
  return {c.make("Gather", {c.input(0), c.input(1), c.integer_constant(c.axis(c.integer("axis", 0), c.rank()))},
                 attributes({{"batch_dims", int64_t{0}}}), 7)};
}
std::vector<Value> map_gather_nd(Context& c) {
  return {c.make("GatherND", {c.input(0), c.input(1)}, attributes({{"batch_dims", c.integer("batch_dims", 0)}}))};
}
std::vector<Value> map_gather_elements(Context& c) {
  return {c.make("GatherElements", {c.input(0), c.input(1)},
                 attributes({{"axis", c.axis(c.integer("axis", 0), c.rank())}}))};
}

void refuse_reduction(Context& c) {
  if (c.text("reduction", "none") != "none") c.refuse("reduction is '" + c.text("reduction", "none") + "'");
}

std::vector<Value> map_scatter_elements(Context& c) {
  refuse_reduction(c);
  const Value axis = c.integer_constant(c.axis(c.integer("axis", 0), c.rank()));
  return {c.make("ScatterElementsUpdate", {c.input(0), c.input(1), c.input(2), axis})};
}

std::vector<Value> map_scatter_nd(Context& c) {
  refuse_reduction(c);
  return {c.make("ScatterNDUpdate", {c.input(0), c.input(1), c.input(2)})};
}

std::vector<Value> map_one_hot(Context& c) {
  const Tensor* values = c.constant(2);
  if (!values || element_count(values->shape) != 2) c.refuse("its values are not two constants");
  const size_t width = byte_width(values->type);
  const auto value = [&](size_t i) {
    return c.graph().constant({values->type, {}, values->bytes.slice(i * width, width).aligned(8)})->value();
  };
  return {c.make("OneHot", {c.input(0), c.scalar(c.input(1)), value(1), value(0)},
                 attributes({{"axis", c.integer("axis", -1)}}))};
}

std::vector<Value> map_non_zero(Context& c) {
  return {c.make("NonZero", {c.input(0)}, attributes({{"output_type", std::string("i64")}}))};
}

std::vector<Value> map_non_max_suppression(Context& c) {
  std::vector<Value> inputs{c.input(0), c.input(1)};
  inputs.push_back(c.has_input(2) ? c.reshape(c.input(2), {1}, "/Reshape_1D_2") : c.integers_constant({0}));
  for (size_t i = 3; i < 5; ++i)
    inputs.push_back(c.has_input(i) ? c.reshape(c.input(i), {1}, "/Reshape_1D_" + std::to_string(i))
                                    : c.number_constant(ElementType::f32, {1}, 0));
  const Attributes a =
      attributes({{"sort_result_descending", false},
                  {"box_encoding", std::string(c.integer("center_point_box", 0) ? "center" : "corner")},
                  {"output_type", std::string("i64")}});
  return {c.make("NonMaxSuppression", inputs, a, 5)};
}

std::vector<Value> map_roi_align(Context& c) {
  const Attributes a = attributes({{"mode", c.text("mode", "avg")},
                                   {"pooled_h", c.integer("output_height", 1)},
                                   {"pooled_w", c.integer("output_width", 1)},
                                   {"sampling_ratio", c.integer("sampling_ratio", 0)},
                                   {"spatial_scale", c.real("spatial_scale", 1)}});
  return {c.make("ROIAlign", {c.input(0), c.input(1), c.input(2)}, a)};
}

/// No operator of Model Optimizer.
std::vector<Value> map_max_roi_pool(Context& c) {
  const std::vector<int64_t> size = c.integers("pooled_shape");
  if (size.size() != 2) c.refuse("pooled_shape needs two values");
  return {c.make("ROIPooling", {c.input(0), c.input(1)},
                 attributes({{"pooled_h", size[0]},
                             {"pooled_w", size[1]},
                             {"spatial_scale", c.real("spatial_scale", 1)},
                             {"method", "max"}}))};
}

constexpr Mapper kMappers[] = {{"Constant", map_constant},
                               {"ConstantOfShape", map_constant_of_shape},
                               {"ConstantFill", map_constant_fill},
                               {"EyeLike", map_eye_like},
                               {"Compress", map_compress},
                               {"Range", map_range},
                               {"Gather", map_gather},
                               {"GatherND", map_gather_nd},
                               {"GatherElements", map_gather_elements},
                               {"Scatter", map_scatter_elements},
                               {"ScatterElements", map_scatter_elements},
                               {"ScatterND", map_scatter_nd},
                               {"OneHot", map_one_hot},
                               {"NonZero", map_non_zero},
                               {"NonMaxSuppression", map_non_max_suppression},
                               {"RoiAlign", map_roi_align},
                               {"MaxRoiPool", map_max_roi_pool}};

}  // namespace

std::span<const Mapper> indexing_mappers() { return kMappers; }

}  // namespace blobsmith::onnx_import
