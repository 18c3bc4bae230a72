// Operations that a functional model calls beside its layers: of Keras 3 (keras.ops), and functions of TensorFlow in
// files of Keras 2.
#include <algorithm>

#include "importers/keras/layer.hpp"

namespace blobsmith::keras_import {
namespace {

/// An argument by its name in the configuration (Keras 3) or in the call (Keras 2), or by its place in the call.
Json argument(Layer& l, std::initializer_list<const char*> names, size_t place) {
  for (const char* name : names)
    for (const Json* from : {&l.config(), &l.arguments()})
      if (const auto it = from->find(name); it != from->end()) return *it;
  if (const auto it = l.arguments().find("args"); it != l.arguments().end() && it->is_array() && place < it->size())
    return (*it)[place];
  return {};
}

std::vector<int64_t> integers_in(const Json& j) {
  std::vector<int64_t> v;
  if (j.is_number()) v.push_back(j.get<int64_t>());
  if (j.is_array())
    for (const Json& item : j) v.push_back(item.is_number() ? item.get<int64_t>() : -1);
  return v;
}

std::vector<int64_t> axes_of(Layer& l) {
  std::vector<int64_t> axes = integers_in(argument(l, {"axis"}, 1));
  if (axes.empty())
    for (int64_t i = 0; i < l.c.rank(); ++i) axes.push_back(i);
  for (int64_t& a : axes) a = l.c.axis(a, l.c.rank());
  return axes;
}

Value reduced(Layer& l, const char* op, Value x, bool keep, const std::string& suffix) {
  return l.apply(op, {x, l.integers_value(axes_of(l), suffix + "/axes")}, {{"keep_dims", flag_attribute(keep)}},
                 suffix);
}
bool keeps_axes(Layer& l) { return argument(l, {"keepdims"}, 2) == Json(true); }
std::vector<Value> reduction(Layer& l, const char* op) { return {reduced(l, op, l.x(), keeps_axes(l), "")}; }

std::vector<Value> mean(Layer& l) { return reduction(l, "Mean"); }
std::vector<Value> sum(Layer& l) { return reduction(l, "Sum"); }
std::vector<Value> largest(Layer& l) { return reduction(l, "Max"); }
std::vector<Value> least(Layer& l) { return reduction(l, "Min"); }
std::vector<Value> product(Layer& l) { return reduction(l, "Prod"); }

Value spread(Layer& l, const std::string& suffix) {
  const Value centre = reduced(l, "Mean", l.x(), true, "/mean");
  const Value squares = l.apply("SquaredDifference", {l.x(), centre}, {}, "/squares");
  return reduced(l, "Mean", squares, keeps_axes(l), suffix);
}
std::vector<Value> variance(Layer& l) { return {spread(l, "")}; }
std::vector<Value> deviation(Layer& l) { return {l.apply("Sqrt", {spread(l, "/variance")})}; }

/// By the row's own operator.
std::vector<Value> unary(Layer& l);

std::vector<Value> silu(Layer& l) { return {l.activated(l.x(), Json("silu"))}; }
std::vector<Value> gelu(Layer& l) {
  return {l.apply("Gelu", {l.x()}, {{"approximate", flag_attribute(argument(l, {"approximate"}, 1) != Json(false))}})};
}
std::vector<Value> reciprocal(Layer& l) { return {l.apply("RealDiv", {l.number(1, "/one"), l.x()})}; }

std::vector<Value> transpose(Layer& l) {
  std::vector<int64_t> order = integers_in(argument(l, {"axes", "perm"}, 1));
  if (order.empty())
    for (int64_t i = l.c.rank(); i > 0; --i) order.push_back(i - 1);
  return {l.apply("Transpose", {l.x(), l.integers_value(order, "/perm")})};
}

std::vector<Value> product_of_matrices(Layer& l) { return {l.apply("BatchMatMulV2", {l.c.input(0), l.c.input(1)})}; }

std::vector<Value> expand(Layer& l) {
  return {l.apply("ExpandDims", {l.x(), l.integers_value(integers_in(argument(l, {"axis"}, 1)), "/axis")})};
}
std::vector<Value> squeeze(Layer& l) {
  return {l.apply("Squeeze", {l.x()}, {{"squeeze_dims", integers_attribute(integers_in(argument(l, {"axis"}, 1)))}})};
}
std::vector<Value> stack(Layer& l) {
  const Json axis = argument(l, {"axis"}, 1);
  return {l.apply("Pack", l.c.inputs(), {{"axis", integer_attribute(axis.is_number() ? axis.get<int64_t>() : 0)}})};
}

std::vector<Value> clip(Layer& l) {
  const Json low = argument(l, {"x_min", "clip_value_min"}, 1), high = argument(l, {"x_max", "clip_value_max"}, 2);
  if (!low.is_number() || !high.is_number()) l.refuse("its limits are not numbers");
  const Value v = l.apply("Minimum", {l.x(), l.number(high.get<double>(), "/high")}, {}, "/Minimum");
  return {l.apply("Maximum", {v, l.number(low.get<double>(), "/low")})};
}

std::vector<Value> pad(Layer& l) {
  const Json width = argument(l, {"pad_width", "paddings"}, 1), mode = argument(l, {"mode"}, 2);
  const std::string kind = mode.is_string() ? mode.get<std::string>() : "constant";
  std::vector<int64_t> pads;
  if (width.is_array())
    for (const Json& pair : width)
      for (const int64_t v : integers_in(pair)) pads.push_back(v);
  if (std::ssize(pads) != 2 * l.c.rank()) l.refuse("its widths are not known");
  const Value constant = l.constant(Tensor::of(ElementType::i64, {l.c.rank(), 2}, pads), "/paddings");
  if (kind == "constant" || kind == "CONSTANT") return {l.apply("Pad", {l.x(), constant})};
  if (kind != "reflect" && kind != "symmetric") l.refuse("its mode is '" + kind + "'");
  return {
      l.apply("MirrorPad", {l.x(), constant}, {{"mode", text_attribute(kind == "reflect" ? "REFLECT" : "SYMMETRIC")}})};
}

std::vector<Value> tile(Layer& l) {
  return {
      l.apply("Tile", {l.x(), l.integers_value(integers_in(argument(l, {"repeats", "multiples"}, 1)), "/repeats")})};
}

std::vector<Value> einsum(Layer& l) {
  const Json equation = argument(l, {"subscripts", "equation"}, 0);
  if (!equation.is_string()) l.refuse("its equation is not known");
  return {l.apply("Einsum", l.c.inputs(), {{"equation", text_attribute(equation.get<std::string>())}})};
}

/// One item for each axis: a slice, a number, null for a new axis.
std::vector<Value> get_item(Layer& l) {
  Json items = argument(l, {"slice_spec", "key"}, 1);
  if (!items.is_array()) items = Json::array({items});
  std::vector<int64_t> begin, end, step;
  int64_t begins = 0, ends = 0, ones = 0, news = 0, ellipses = 0;
  for (size_t i = 0; i < items.size() && i < 32; ++i) {
    const Json& j = items[i];
    const Json& slice = j.is_object() && j.contains("config") && j["config"].is_object() ? j["config"] : j;
    const int64_t bit = int64_t{1} << i;
    const auto number = [&](const char* key, int64_t fallback, int64_t& open) {
      const auto it = slice.find(key);
      if (it != slice.end() && it->is_number()) return it->get<int64_t>();
      if (it != slice.end() && !it->is_null()) l.refuse("it takes parts by another tensor");
      open |= bit;
      return fallback;
    };
    int64_t ignored = 0;
    if (j.is_number()) {
      begin.push_back(j.get<int64_t>());
      end.push_back(begin.back() + 1);
      step.push_back(1);
      ones |= bit;
    } else if (j.is_null()) {
      begin.push_back(0), end.push_back(0), step.push_back(1);
      news |= bit;
    } else if (slice.is_object() && (slice.contains("start") || slice.contains("stop"))) {
      begin.push_back(number("start", 0, begins));
      end.push_back(number("stop", 0, ends));
      step.push_back(number("step", 1, ignored));
    } else if ((j.is_string() && j == "Ellipsis") ||
               (j.is_object() && j.value("class_name", std::string()) == "__ellipsis__")) {
      begin.push_back(0), end.push_back(0), step.push_back(1);
      ellipses |= bit;
    } else {
      l.refuse("its parts are not known");
    }
  }
  return {l.apply(
      "StridedSlice",
      {l.x(), l.integers_value(begin, "/begin"), l.integers_value(end, "/end"), l.integers_value(step, "/step")},
      {{"begin_mask", integer_attribute(begins)},
       {"end_mask", integer_attribute(ends)},
       {"shrink_axis_mask", integer_attribute(ones)},
       {"new_axis_mask", integer_attribute(news)},
       {"ellipsis_mask", integer_attribute(ellipses)}})};
}

constexpr LayerRow kOperators[] = {
    {"Mean", "Mean", mean},
    {"Sum", "Sum", sum},
    {"Max", "Max", largest},
    {"Min", "Min", least},
    {"Amax", "Max", largest},
    {"Amin", "Min", least},
    {"Prod", "Prod", product},
    {"Var", "Mean", variance},
    {"Std", "Sqrt", deviation},
    {"Sqrt", "Sqrt", unary},
    {"Exp", "Exp", unary},
    {"Log", "Log", unary},
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
    {"Sin", "Sin", unary},
    {"Cos", "Cos", unary},
    {"Rsqrt", "Rsqrt", unary},
    {"Sign", "Sign", unary},
    {"LogSoftmax", "LogSoftmax", unary},
    {"Round", "Round", unary},
    {"Selu", "Selu", unary},
    {"Silu", "Mul", silu},
    {"Gelu", "Gelu", gelu},
    {"Reciprocal", "RealDiv", reciprocal},
    {"Transpose", "Transpose", transpose},
    {"Matmul", "BatchMatMulV2", product_of_matrices},
    {"ExpandDims", "ExpandDims", expand},
    {"Squeeze", "Squeeze", squeeze},
    {"Stack", "Pack", stack},
    {"Clip", "Minimum", clip},
    {"Pad", "Pad", pad},
    {"Tile", "Tile", tile},
    {"Einsum", "Einsum", einsum},
    {"GetItem", "StridedSlice", get_item},
    {"SlicingOpLambda", "StridedSlice", get_item},
};

std::vector<Value> unary(Layer& l) {
  const auto* row = std::ranges::find(kOperators, std::string_view(l.c.type()), &LayerRow::class_name);
  return {l.c.apply(row->becomes, {l.x()}, {}, "").at(0)};
}

}  // namespace

std::span<const LayerRow> operation_layers() { return kOperators; }

}  // namespace blobsmith::keras_import
