// Arithmetic that a functional model calls beside its layers: operations of Keras 3 (keras.ops), which TensorFlow's
// functions in files of Keras 2 are called by too (tensorflow_functions.cpp).
#include <algorithm>
#include <cmath>
#include <numbers>

#include "importers/keras/arguments.hpp"

namespace blobsmith::keras_import {
namespace {

// ---- reductions ----

std::vector<Value> reduction(Layer& l, const char* op) { return {reduced(l, op, l.x(), keeps_axes(l), "")}; }
std::vector<Value> mean(Layer& l) { return reduction(l, "Mean"); }
std::vector<Value> sum(Layer& l) { return reduction(l, "Sum"); }
std::vector<Value> largest(Layer& l) { return reduction(l, "Max"); }
std::vector<Value> least(Layer& l) { return reduction(l, "Min"); }
std::vector<Value> product(Layer& l) { return reduction(l, "Prod"); }
std::vector<Value> any(Layer& l) { return reduction(l, "Any"); }
std::vector<Value> all(Layer& l) { return reduction(l, "All"); }

Value spread(Layer& l, const std::string& suffix) {
  const Value centre = reduced(l, "Mean", l.x(), true, "/mean");
  const Value squares = l.apply("SquaredDifference", {l.x(), centre}, {}, "/squares");
  return reduced(l, "Mean", squares, keeps_axes(l), suffix);
}
std::vector<Value> variance(Layer& l) { return {spread(l, "")}; }
std::vector<Value> deviation(Layer& l) { return {l.apply("Sqrt", {spread(l, "/variance")})}; }
std::vector<Value> moments(Layer& l) {
  const bool keep = argument(l, {"keepdims"}, 3) == Json(true);
  return {reduced(l, "Mean", l.x(), keep, "/mean"), spread(l, "/variance")};
}

/// log(sum(exp(x - max))) + max
std::vector<Value> log_of_exponentials(Layer& l) {
  const Value max = reduced(l, "Max", l.x(), true, "/max");
  const Value rest = l.apply("Exp", {l.apply("Sub", {l.x(), max}, {}, "/sub")}, {}, "/Exp");
  const Value log = l.apply("Log", {reduced(l, "Sum", rest, keeps_axes(l), "/Sum")}, {}, "/Log");
  return {l.apply("AddV2", {log, reduced(l, "Max", l.x(), keeps_axes(l), "/largest")})};
}

std::vector<Value> norm(Layer& l) {
  const Json order = argument(l, {"ord"}, 1);
  const bool sums = order == Json(1);
  if (!sums && !order.is_null() && order != Json(2) && order != Json("euclidean") && order != Json("fro"))
    l.refuse("its order is " + order.dump());
  const bool keep = argument(l, {"keepdims"}, 3) == Json(true);
  const Json axis = argument(l, {"axis"}, 2);
  std::vector<int64_t> axes = integers_in(axis);
  if (axes.empty())
    for (int64_t i = 0; i < l.c.rank(); ++i) axes.push_back(i);
  const Value along = l.integers_value(axes, "/axes");
  const NamedAttributes kept{{"keep_dims", flag_attribute(keep)}};
  if (sums) return {l.apply("Sum", {l.apply("Abs", {l.x()}, {}, "/Abs"), along}, kept)};
  const Value squares = l.apply("Sum", {l.apply("Square", {l.x()}, {}, "/Square"), along}, kept, "/Sum");
  return {l.apply("Sqrt", {squares})};
}

/// x / max(norm, eps) along an axis
std::vector<Value> normalised(Layer& l) {
  if (const Json order = argument(l, {"order"}, 2); !order.is_null() && order != Json(2))
    l.refuse("its order is " + order.dump());
  const double eps = real_argument(l, {"epsilon"}, 3, 1e-12);
  const bool is_function = !l.text("function").empty();  // whose eps is that of the square
  const Json axis = argument(l, {"axis"}, 1);
  std::vector<int64_t> axes = integers_in(axis);
  if (axes.empty()) axes = {-1};
  const Value sum = l.apply("Sum", {l.apply("Square", {l.x()}, {}, "/Square"), l.integers_value(axes, "/axes")},
                            {{"keep_dims", flag_attribute(true)}}, "/Sum");
  const Value guarded = l.apply("Maximum", {sum, l.number(is_function ? eps : eps * eps, "/epsilon")}, {}, "/Maximum");
  return {l.apply("Mul", {l.x(), l.apply("Rsqrt", {guarded}, {}, "/Rsqrt")})};
}

std::vector<Value> place_of(Layer& l, const char* op) {
  const Json axis = argument(l, {"axis"}, 1);
  if (!axis.is_number() && l.c.rank() > 1) l.refuse("it counts the elements of all axes");
  const int64_t along = l.c.axis(axis.is_number() ? axis.get<int64_t>() : 0, l.c.rank());
  const bool keep = keeps_axes(l);
  const Value place = l.apply(
      op, {l.x(), l.constant(Tensor::of(ElementType::i32, {}, std::vector{static_cast<int32_t>(along)}), "/dimension")},
      {}, keep ? "/place" : "");
  return {keep ? l.apply("ExpandDims", {place, l.integers_value({along}, "/axis")}) : place};
}
std::vector<Value> place_of_largest(Layer& l) { return place_of(l, "ArgMax"); }
std::vector<Value> place_of_least(Layer& l) { return place_of(l, "ArgMin"); }

std::vector<Value> running_sum(Layer& l) {
  const Json axis = argument(l, {"axis"}, 1);
  if (!axis.is_number() && l.c.rank() > 1 && l.text("function").empty()) l.refuse("it runs over all axes");
  const int64_t along = axis.is_number() ? axis.get<int64_t>() : 0;
  return {
      l.apply("Cumsum",
              {l.x(), l.constant(Tensor::of(ElementType::i32, {}, std::vector{static_cast<int32_t>(along)}), "/axis")},
              {{"exclusive", flag_attribute(argument(l, {"exclusive"}, 2) == Json(true))},
               {"reverse", flag_attribute(argument(l, {"reverse"}, 3) == Json(true))}})};
}

// ---- element by element ----

/// By the row's own operator.
std::vector<Value> unary(Layer& l);
std::vector<Value> binary(Layer& l);

/// As the activation of a layer that has this name.
template <const char* kName>
std::vector<Value> activation(Layer& l) {
  return {l.activated(l.x(), Json(kName))};
}
constexpr char kSilu[] = "silu", kHardSigmoid[] = "hard_sigmoid", kHardSilu[] = "hard_silu", kHardTanh[] = "hard_tanh",
               kLogSigmoid[] = "log_sigmoid", kSquareplus[] = "squareplus", kTanhShrink[] = "tanh_shrink";

std::vector<Value> gelu(Layer& l) {
  const bool of_tensorflow = !l.text("function").empty();  // exact by default
  const Json how = argument(l, {"approximate"}, 1);
  return {
      l.apply("Gelu", {l.x()}, {{"approximate", flag_attribute(how.is_boolean() ? how.get<bool>() : !of_tensorflow)}})};
}
std::vector<Value> slope_below_zero(Layer& l) {
  return {l.apply("LeakyRelu", {l.x()},
                  {{"alpha", real_attribute(real_argument(l, {"negative_slope", "alpha"}, 1, 0.2))}})};
}
std::vector<Value> curve_below_zero(Layer& l) {
  const double alpha = real_argument(l, {"alpha"}, 1, 1);
  return {l.c.make("Elu", {l.x()}, tensorflow_import::attributes({{"alpha", alpha}}))};
}
/// max(x, 0) + min(alpha (exp(x / alpha) - 1), 0)
std::vector<Value> celu(Layer& l) {
  const double alpha = real_argument(l, {"alpha"}, 1, 1);
  if (alpha <= 0) l.refuse("its alpha is not positive");
  const Value part = l.apply("Mul", {l.x(), l.number(1 / alpha, "/inverse")}, {}, "/scaled");
  const Value curve = l.apply("Elu", {part}, {}, "/Elu");
  const Value below = l.apply("Minimum", {curve, l.number(0, "/zero")}, {}, "/Minimum");
  return {l.apply("AddV2", {l.apply("Relu", {l.x()}, {}, "/Relu"),
                            l.apply("Mul", {below, l.number(alpha, "/alpha")}, {}, "/below")})};
}
/// One half, where the sigmoid of the other says.
std::vector<Value> gated(Layer& l) {
  const int64_t axis = axis_of(l, {"axis"}, 1, -1);
  const Value dim = l.constant(Tensor::of(ElementType::i32, {}, std::vector{static_cast<int32_t>(axis)}), "/dim");
  const std::vector<Value> halves = l.c.apply("Split", {dim, l.x()}, {{"num_split", integer_attribute(2)}}, "/split");
  return {l.apply("Mul", {halves.at(0), l.apply("Sigmoid", {halves.at(1)}, {}, "/Sigmoid")})};
}
std::vector<Value> soft_shrink(Layer& l) {  // x - clip(x, -t, t)
  const double t = real_argument(l, {"threshold"}, 1, 0.5);
  const Value low = l.apply("Maximum", {l.x(), l.number(-t, "/low")}, {}, "/Maximum");
  return {l.apply("Sub", {l.x(), l.apply("Minimum", {low, l.number(t, "/high")}, {}, "/Minimum")})};
}
Value where_above(Layer& l, Value what, double limit, Value other) {
  const Value above = l.apply("Greater", {what, l.number(limit, "/limit")}, {}, "/Greater");
  return l.apply("SelectV2", {above, l.x(), other});
}
std::vector<Value> hard_shrink(Layer& l) {
  const Value size = l.apply("Abs", {l.x()}, {}, "/Abs");
  return {where_above(l, size, real_argument(l, {"threshold"}, 1, 0.5), l.number(0, "/zero"))};
}
std::vector<Value> above_threshold(Layer& l) {
  const Value other = l.number(real_argument(l, {"default_value", "value"}, 2, 0), "/other");
  return {where_above(l, l.x(), real_argument(l, {"threshold"}, 1, 0), other)};
}

std::vector<Value> softmax_of(Layer& l, const char* op) {
  return {l.c.make(op, {l.x()}, tensorflow_import::attributes({{"axis", axis_of(l, {"axis"}, 1, -1)}}))};
}
std::vector<Value> softmax_function(Layer& l) { return softmax_of(l, "Softmax"); }
std::vector<Value> log_softmax(Layer& l) { return softmax_of(l, "LogSoftmax"); }

std::vector<Value> scaled_log(Layer& l, double factor) {
  return {l.apply("Mul", {l.apply("Log", {l.x()}, {}, "/Log"), l.number(factor, "/factor")})};
}
std::vector<Value> log2(Layer& l) { return scaled_log(l, 1 / std::numbers::ln2); }
std::vector<Value> log10(Layer& l) { return scaled_log(l, 1 / std::numbers::ln10); }
std::vector<Value> exp2(Layer& l) {
  return {l.apply("Exp", {l.apply("Mul", {l.x(), l.number(std::numbers::ln2, "/factor")}, {}, "/mul")})};
}
std::vector<Value> truncated(Layer& l) {
  const Value size = l.apply("Floor", {l.apply("Abs", {l.x()}, {}, "/Abs")}, {}, "/Floor");
  return {l.apply("Mul", {l.apply("Sign", {l.x()}, {}, "/Sign"), size})};
}
std::vector<Value> turned(Layer& l, double factor) { return {l.apply("Mul", {l.x(), l.number(factor, "/factor")})}; }
std::vector<Value> to_radians(Layer& l) { return turned(l, std::numbers::pi / 180); }
std::vector<Value> to_degrees(Layer& l) { return turned(l, 180 / std::numbers::pi); }
std::vector<Value> reciprocal(Layer& l) { return {l.apply("RealDiv", {l.number(1, "/one"), l.x()})}; }
std::vector<Value> unchanged(Layer& l) { return {l.x()}; }

std::vector<Value> hypotenuse(Layer& l) {
  const std::vector<Value> v = operands(l, {{"x1", "x"}, {"x2", "y"}});
  const Value sum =
      l.apply("AddV2", {l.apply("Square", {v[0]}, {}, "/a"), l.apply("Square", {v[1]}, {}, "/b")}, {}, "/add");
  return {l.apply("Sqrt", {sum})};
}
std::vector<Value> where(Layer& l) {
  return {l.apply("SelectV2", operands(l, {{"condition"}, {"x1", "x"}, {"x2", "y"}}))};
}
std::vector<Value> constant_like(Layer& l, double v) {
  const Value zero = l.apply("Mul", {l.x(), l.number(0, "/none")}, {}, "/zeros");
  return {l.apply("AddV2", {zero, l.number(v, "/value")})};
}
std::vector<Value> zeros_like(Layer& l) { return {l.apply("ZerosLike", {l.x()})}; }
std::vector<Value> ones_like(Layer& l) { return {l.apply("OnesLike", {l.x()})}; }
std::vector<Value> full_like(Layer& l) {
  const Json v = argument(l, {"fill_value"}, 1);
  if (!v.is_number()) l.refuse("its value is not a number");
  return constant_like(l, v.get<double>());
}
std::vector<Value> cast(Layer& l) {
  const Json type = argument(l, {"dtype"}, 1);
  static constexpr std::pair<const char*, ElementType> kTypes[] = {
      {"float32", ElementType::f32}, {"float16", ElementType::f16}, {"int32", ElementType::i32},
      {"int64", ElementType::i64},   {"uint8", ElementType::u8},    {"bool", ElementType::boolean},
  };
  for (const auto& [name, element] : kTypes)
    if (type == Json(name)) return {l.apply("Cast", {l.x()}, {{"DstT", type_attribute(element)}})};
  l.refuse("its type is " + type.dump());
}

std::vector<Value> product_of_matrices(Layer& l) {
  const auto turned_over = [&](const char* name) { return argument(l, {name}, SIZE_MAX) == Json(true); };
  return {l.apply(
      "BatchMatMulV2", {l.c.input(0), l.c.input(1)},
      {{"adj_x", flag_attribute(turned_over("transpose_a"))}, {"adj_y", flag_attribute(turned_over("transpose_b"))}})};
}

std::vector<Value> clip(Layer& l) {
  const Json low = argument(l, {"x_min", "clip_value_min"}, 1), high = argument(l, {"x_max", "clip_value_max"}, 2);
  if (!low.is_number() || !high.is_number()) l.refuse("its limits are not numbers");
  const Value v = l.apply("Minimum", {l.x(), l.number(high.get<double>(), "/high")}, {}, "/Minimum");
  return {l.apply("Maximum", {v, l.number(low.get<double>(), "/low")})};
}

std::vector<Value> einsum(Layer& l) {
  const Json equation = argument(l, {"subscripts", "equation"}, 0);
  if (!equation.is_string()) l.refuse("its equation is not known");
  return {l.apply("Einsum", l.c.inputs(), {{"equation", text_attribute(equation.get<std::string>())}})};
}

std::vector<Value> grey(Layer& l) {
  const Value weights =
      l.constant(Tensor::of(ElementType::f32, {3}, std::vector<float>{0.2989F, 0.5870F, 0.1140F}), "/weights");
  return {l.apply("Sum", {l.apply("Mul", {l.x(), weights}, {}, "/mul"), l.integers_value({-1}, "/axis")},
                  {{"keep_dims", flag_attribute(true)}})};
}

constexpr LayerRow kOperators[] = {
    {"Mean", "Mean", mean},
    {"Sum", "Sum", sum},
    {"Max", "Max", largest},
    {"Min", "Min", least},
    {"Amax", "Max", largest},
    {"Amin", "Min", least},
    {"Prod", "Prod", product},
    {"Any", "Any", any},
    {"All", "All", all},
    {"Var", "Mean", variance},
    {"Std", "Sqrt", deviation},
    {"Moments", "Mean", moments},
    {"Logsumexp", "Log", log_of_exponentials},
    {"Norm", "Sqrt", norm},
    {"Normalize", "Mul", normalised},
    {"Argmax", "ArgMax", place_of_largest},
    {"Argmin", "ArgMin", place_of_least},
    {"Cumsum", "Cumsum", running_sum},
    {"Sqrt", "Sqrt", unary},
    {"Exp", "Exp", unary},
    {"Expm1", "Expm1", unary},
    {"Exp2", "Exp", exp2},
    {"Log", "Log", unary},
    {"Log1p", "Log1p", unary},
    {"Log2", "Log", log2},
    {"Log10", "Log", log10},
    {"Absolute", "Abs", unary},
    {"Abs", "Abs", unary},
    {"Square", "Square", unary},
    {"Negative", "Neg", unary},
    {"Relu", "Relu", unary},
    {"Relu6", "Relu6", unary},
    {"Sigmoid", "Sigmoid", unary},
    {"Tanh", "Tanh", unary},
    {"Softplus", "Softplus", unary},
    {"Softsign", "Softsign", unary},
    {"Erf", "Erf", unary},
    {"Floor", "Floor", unary},
    {"Ceil", "Ceil", unary},
    {"Trunc", "Floor", truncated},
    {"Round", "Round", unary},
    {"Sign", "Sign", unary},
    {"Sin", "Sin", unary},
    {"Cos", "Cos", unary},
    {"Tan", "Tan", unary},
    {"Arcsin", "Asin", unary},
    {"Arccos", "Acos", unary},
    {"Arctan", "Atan", unary},
    {"Sinh", "Sinh", unary},
    {"Cosh", "Cosh", unary},
    {"Arcsinh", "Asinh", unary},
    {"Arccosh", "Acosh", unary},
    {"Arctanh", "Atanh", unary},
    {"Deg2rad", "Mul", to_radians},
    {"Rad2deg", "Mul", to_degrees},
    {"Rsqrt", "Rsqrt", unary},
    {"Reciprocal", "RealDiv", reciprocal},
    {"Isnan", "IsNan", unary},
    {"Isinf", "IsInf", unary},
    {"Isfinite", "IsFinite", unary},
    {"LogicalNot", "LogicalNot", unary},
    {"LogSoftmax", "LogSoftmax", log_softmax},
    {"Selu", "Selu", unary},
    {"Silu", "Mul", activation<kSilu>},
    {"HardSigmoid", "Relu6", activation<kHardSigmoid>},
    {"HardSilu", "Relu6", activation<kHardSilu>},
    {"HardTanh", "Minimum", activation<kHardTanh>},
    {"LogSigmoid", "Softplus", activation<kLogSigmoid>},
    {"Squareplus", "Sqrt", activation<kSquareplus>},
    {"TanhShrink", "Tanh", activation<kTanhShrink>},
    {"SoftShrink", "Minimum", soft_shrink},
    {"HardShrink", "SelectV2", hard_shrink},
    {"Threshold", "SelectV2", above_threshold},
    {"Gelu", "Gelu", gelu},
    {"LeakyRelu", "LeakyRelu", slope_below_zero},
    {"Elu", "Elu", curve_below_zero},
    {"Celu", "Elu", celu},
    {"Glu", "Sigmoid", gated},
    {"Mod", "FloorMod", binary},
    {"FloorDivide", "FloorDiv", binary},
    {"Equal", "Equal", binary},
    {"NotEqual", "NotEqual", binary},
    {"Greater", "Greater", binary},
    {"GreaterEqual", "GreaterEqual", binary},
    {"Less", "Less", binary},
    {"LessEqual", "LessEqual", binary},
    {"LogicalAnd", "LogicalAnd", binary},
    {"LogicalOr", "LogicalOr", binary},
    {"LogicalXor", "LogicalXor", binary},
    {"Arctan2", "Atan2", binary},
    {"SquaredDifference", "SquaredDifference", binary},
    {"Hypot", "Sqrt", hypotenuse},
    {"Where", "SelectV2", where},
    {"Matmul", "BatchMatMulV2", product_of_matrices},
    {"Clip", "Minimum", clip},
    {"Einsum", "Einsum", einsum},
    {"Cast", "Cast", cast},
    {"Positive", "", unchanged},
    {"StopGradient", "", unchanged},
    {"ZerosLike", "ZerosLike", zeros_like},
    {"OnesLike", "OnesLike", ones_like},
    {"FullLike", "AddV2", full_like},
    {"RGBToGrayscale", "Sum", grey},
};

/// Of TensorFlow, where no class of Keras has the name.
constexpr LayerRow kOperationFunctions[] = {
    {"nn.softmax", "Softmax", softmax_function},
};

const LayerRow& own_row(Layer& l) {
  const std::string_view name = class_of_function(l.text("function"), l.c.type());
  return *std::ranges::find(kOperators, name, &LayerRow::class_name);
}
std::vector<Value> unary(Layer& l) { return {l.c.apply(own_row(l).becomes, {l.x()}, {}, "").at(0)}; }
std::vector<Value> binary(Layer& l) {
  return {l.c.apply(own_row(l).becomes, operands(l, {{"x1", "x", "a"}, {"x2", "y", "b"}}), {}, "").at(0)};
}

}  // namespace

std::span<const LayerRow> operation_layers() { return kOperators; }
std::span<const LayerRow> operation_functions() { return kOperationFunctions; }

}  // namespace blobsmith::keras_import
