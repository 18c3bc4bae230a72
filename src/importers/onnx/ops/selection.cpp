// Largest and smallest values, boxes, positions: what sorts or selects.
#include "importers/onnx/mo_steps.hpp"
#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

std::vector<Value> one_hot(Context& c) {
  const Tensor* values = c.constant(2);
  if (!values || element_count(values->shape) != 2) c.refuse("its values are not two constants");
  const size_t width = byte_width(values->type);
  const auto value = [&](size_t i) {
    return c.graph().constant({values->type, {}, values->bytes.slice(i * width, width).aligned(8)})->value();
  };
  if (c.quirks())
    return {c.make("OneHot", {c.input(0), c.scalar(c.input(1)), value(1), value(0)},
                   attributes({{"axis", c.integer("axis", -1)}}))};
  // Indices and depth may be real numbers; indices below 0 count from the end.
  Steps s(c);
  const Tensor* depth = c.constant(1);
  if (!depth || element_count(depth->shape) != 1) c.refuse("its depth is not a constant");
  const int64_t count = depth->to_i64()[0];
  const Value at = is_float(c.input(0).type()) ? s.convert(c.input(0), ElementType::i32) : c.input(0);
  const Value from_end = s.convert(s.make("Less", {at, s.number(at, 0)}), at.type());
  const Value counted = s.add(at, s.multiply(from_end, static_cast<double>(count)));
  const int64_t axis = c.integer("axis", -1);
  return {s.done(s.make("OneHot", {counted, s.constant(Tensor::scalar_i64(count)), value(1), value(0)},
                        attributes({{"axis", axis == -1 ? axis : c.axis(axis, c.rank() + 1)}})))};
}

std::vector<Value> non_zero(Context& c) {
  return {c.make("NonZero", {c.input(0)}, attributes({{"output_type", std::string("i64")}}))};
}

std::vector<Value> non_max_suppression(Context& c) {
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

/// The boxes of aligned coordinates (the default since opset 16), half a pixel further to the front, as the VPU's
/// stage, which does not know them, is to get them. It also takes boxes to be at least a pixel wide.
/// quirk: Model Optimizer forgets that.
Value aligned_boxes(Context& c) {
  const std::string mode = c.text("coordinate_transformation_mode", "half_pixel");
  const double scale = c.real("spatial_scale", 1);
  if (c.opset() < 16 || mode == "output_half_pixel" || c.quirks()) return c.input(1);
  if (mode != "half_pixel") c.refuse("unknown coordinate_transformation_mode '" + mode + "'");
  if (scale == 0) c.refuse("spatial_scale is 0");
  c.note("its boxes are moved by half a pixel, as the model says; those of less than a pixel are taken as one");
  return c.binary("Add", c.input(1), -0.5 / scale, "/aligned");
}

std::vector<Value> roi_align(Context& c) {
  const Attributes a = attributes({{"mode", c.text("mode", "avg")},
                                   {"pooled_h", c.integer("output_height", 1)},
                                   {"pooled_w", c.integer("output_width", 1)},
                                   {"sampling_ratio", c.integer("sampling_ratio", 0)},
                                   {"spatial_scale", c.real("spatial_scale", 1)}});
  return {c.make("ROIAlign", {c.input(0), aligned_boxes(c), c.input(2)}, a)};
}

/// No operator of Model Optimizer.
std::vector<Value> max_roi_pool(Context& c) {
  const std::vector<int64_t> size = c.integers("pooled_shape");
  if (size.size() != 2) c.refuse("pooled_shape needs two values");
  return {c.make("ROIPooling", {c.input(0), c.input(1)},
                 attributes({{"pooled_h", size[0]},
                             {"pooled_w", size[1]},
                             {"spatial_scale", c.real("spatial_scale", 1)},
                             {"method", "max"}}))};
}

/// No operator of Model Optimizer: the largest of the positions where the extreme is.
std::vector<Value> last_of_extremes(Context& c, const std::string& mode, int64_t axis) {
  Steps s(c);
  const Value x = c.input(0);
  if (!is_static(x.shape())) c.refuse("its input has the shape " + to_string(x.shape()));
  const Value extreme = s.reduce(mode == "max" ? "ReduceMax" : "ReduceMin", x, {axis}, true);
  Shape shape(x.shape().size(), 1);
  shape[static_cast<size_t>(axis)] = x.shape()[static_cast<size_t>(axis)];
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < shape[static_cast<size_t>(axis)]; ++i) positions.push_back(i);
  const Value places = s.reshape(s.indices(positions), shape), nowhere = s.number(places, -1);
  const Value found = s.make("Select", {s.make("Equal", {x, extreme}), places, nowhere});
  return {s.done(s.reduce("ReduceMax", found, {axis}, c.integer("keepdims", 1) != 0))};
}

/// The position of the largest or smallest value: TopK of one, sorted by index.
std::vector<Value> arg(Context& c, const char* mode) {
  const int64_t axis = c.axis(c.integer("axis", 0), c.rank());
  if (c.integer("select_last_index", 0) != 0) return last_of_extremes(c, mode, axis);
  const Attributes a = attributes({{"axis", axis},
                                   {"mode", std::string(mode)},
                                   {"sort", std::string("index")},
                                   {"index_element_type", std::string("i64")}});
  Node* top = c.make("TopK", {c.input(0), c.integer_constant(1, "/TopK1")}, a, 3, "/TopK").node;
  if (c.integer("keepdims", 1) != 0) return {top->value(1)};
  return {c.make("Squeeze", {top->value(1), c.integers_constant({axis})})};
}
std::vector<Value> arg_max(Context& c) { return arg(c, "max"); }
std::vector<Value> arg_min(Context& c) { return arg(c, "min"); }

std::vector<Value> top_k(Context& c) {
  const Value k = c.opset() < 10 ? c.integer_constant(c.integer("k", 1)) : c.scalar(c.input(1));
  const Attributes a = attributes({{"axis", c.axis(c.integer("axis", -1), c.rank())},
                                   {"mode", std::string(c.integer("largest", 1) ? "max" : "min")},
                                   {"sort", std::string(c.integer("sorted", 1) ? "value" : "none")},
                                   {"index_element_type", std::string("i64")}});
  Node* top = c.make("TopK", {c.input(0), k}, a, 3).node;
  return {top->value(0), top->value(1)};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

/// The place of the first extreme along an axis; of the last one by way of the reversed tensor.
std::vector<Value> arg(Context& c, const char* mode, bool may_take_last) {
  Value x = c.input(0);
  const int64_t axis = c.integer("axis", 0);
  const bool last = may_take_last && c.integer("select_last_index", 0) != 0;
  const Value k = c.scalar_i64(1);
  const Value original = x;
  Value axes;
  if (last) {
    axes = c.list_i64({axis});
    x = c.make("Reverse", {x, axes}, attributes({{"mode", std::string("index")}}));
  }
  const Value extremes = top_k(c, x, k, axis, mode, "none", "i32");
  Value places{extremes.node, 1};
  if (last) {
    const Value shape = c.shape_of(original);
    const Value zero = c.scalar_i64(0);
    const Value length = c.gather(shape, axes, zero);
    const Value from_end = c.convert(places, ElementType::i64);
    const Value difference = c.binary("Subtract", length, from_end);
    const Value one = c.list_i64({1});
    places = c.binary("Subtract", difference, one);
  } else {
    places = c.convert(places, ElementType::i64);
  }
  if (c.integer("keepdims", 1) != 0) return {places};
  const Value removed = c.constant(Tensor::of(ElementType::u64, {}, std::vector<int64_t>{axis}));
  return {c.make("Squeeze", {places, removed})};
}
std::vector<Value> arg_max_1(Context& c) { return arg(c, "max", false); }
std::vector<Value> arg_max_12(Context& c) { return arg(c, "max", true); }
std::vector<Value> arg_min_1(Context& c) { return arg(c, "min", false); }
std::vector<Value> arg_min_12(Context& c) { return arg(c, "min", true); }

std::vector<Value> both_outputs(Value v) { return {v.node->value(0), v.node->value(1)}; }

std::vector<Value> top_k_1(Context& c) {
  const Value x = c.input(0);
  const Value k = c.scalar_i64(c.mandatory_integer("k"));
  return both_outputs(top_k(c, x, k, c.integer("axis", -1), "max", "value", "i64"));
}
std::vector<Value> top_k_10(Context& c) {
  const Value x = c.input(0);
  const Value k = interpret_as_scalar(c, c.input(1));
  return both_outputs(top_k(c, x, k, c.integer("axis", -1), "max", "value", "i64"));
}
std::vector<Value> top_k_11(Context& c) {
  const Value x = c.input(0);
  const Value k = interpret_as_scalar(c, c.input(1));
  const bool largest = c.integer("largest", 1) != 0, sorted = c.integer("sorted", 1) != 0;
  return both_outputs(top_k(c, x, k, c.integer("axis", -1), largest ? "max" : "min", sorted ? "value" : "none", "i64"));
}

std::vector<Value> one_hot(Context& c) {
  const Value indices = c.convert(c.input(0), ElementType::i64);
  const Value depth_value = interpret_as_scalar(c, c.input(1));
  const Value depth = c.convert(depth_value, ElementType::i64);
  const std::vector<Value> off_on = c.split(c.input(2), 2, 0);
  const Value off = interpret_as_scalar(c, off_on.at(0)), on = interpret_as_scalar(c, off_on.at(1));
  const int64_t rank = c.rank(indices) + 1;
  return {c.make("OneHot", {indices, depth, on, off}, attributes({{"axis", c.axis(c.integer("axis", -1), rank)}}))};
}

std::vector<Value> non_zero(Context& c) {
  return {c.make("NonZero", {c.input(0)}, attributes({{"output_type", std::string("i64")}}))};
}

std::vector<Value> non_max_suppression(Context& c) {
  const Value boxes = c.input(0), scores = c.input(1);
  const Value count = c.has_input(2) ? interpret_as_scalar(c, c.input(2)) : c.scalar_i64(0);
  const Value overlap = c.has_input(3) ? interpret_as_scalar(c, c.input(3)) : c.filled(ElementType::f32, {}, 0);
  const Value score =
      c.has_input(4) ? interpret_as_scalar(c, c.input(4)) : c.filled(ElementType::f32, {}, -3.4028234663852886e38);
  const int64_t encoding = c.integer("center_point_box", 0);
  if (encoding != 0 && encoding != 1) c.refuse("Allowed values of the 'center_point_box' attribute are 0 and 1.");
  const Value n = c.make("NonMaxSuppression", {boxes, scores, count, overlap, score},
                         attributes({{"box_encoding", std::string(encoding ? "center" : "corner")},
                                     {"sort_result_descending", false},
                                     {"output_type", std::string("i64")}}),
                         5);
  return {n.node->value(0)};
}

std::vector<Value> roi_align(Context& c) {
  const Value x = c.input(0), boxes = c.input(1), batches = c.input(2);
  const std::string mode = c.text("mode", "avg");
  if (mode != "avg" && mode != "max") c.refuse("unknown mode '" + mode + "'");
  return {c.make("ROIAlign", {x, boxes, batches},
                 attributes({{"pooled_h", c.integer("output_height", 1)},
                             {"pooled_w", c.integer("output_width", 1)},
                             {"sampling_ratio", c.integer("sampling_ratio", 0)},
                             {"spatial_scale", c.real("spatial_scale", 1)},
                             {"mode", mode}}))};
}

}  // namespace

Value top_k(Context& c, Value x, Value k, int64_t axis, const char* mode, const char* sort, const char* index_type) {
  return c.make("TopK", {x, k},
                attributes({{"axis", axis},
                            {"mode", std::string(mode)},
                            {"sort", std::string(sort)},
                            {"index_element_type", std::string(index_type)}}),
                3);
}

}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"ArgMax", 1, "TopK", mo::arg_max, ie::arg_max_1},
    {"ArgMax", 12, "TopK", mo::arg_max, ie::arg_max_12},
    {"ArgMin", 1, "TopK", mo::arg_min, ie::arg_min_1},
    {"ArgMin", 12, "TopK", mo::arg_min, ie::arg_min_12},
    {"TopK", 1, "TopK", mo::top_k, ie::top_k_1},
    {"TopK", 10, "TopK", mo::top_k, ie::top_k_10},
    {"TopK", 11, "TopK", mo::top_k, ie::top_k_11},
    {"OneHot", 1, "OneHot", mo::one_hot, ie::one_hot},
    {"NonZero", 1, "NonZero", mo::non_zero, ie::non_zero},
    {"NonMaxSuppression", 1, "NonMaxSuppression", mo::non_max_suppression, ie::non_max_suppression},
    {"RoiAlign", 1, "ROIAlign", mo::roi_align, ie::roi_align},
    {"MaxRoiPool", 1, "ROIPooling", mo::max_roi_pool, nullptr},
};

}  // namespace

std::span<const OperatorRow> selection_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
