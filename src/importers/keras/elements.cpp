// Activations, arithmetic of several tensors, pre-processing of values, functions that a model calls.
#include <algorithm>
#include <cmath>
#include <functional>

#include "importers/keras/arguments.hpp"

namespace blobsmith::keras_import {
namespace {

std::vector<Value> activation(Layer& l) { return {l.activated(l.x(), l.config().value("activation", Json("linear")))}; }

std::vector<Value> relu(Layer& l) {
  const double slope = l.real("negative_slope", 0), threshold = l.real("threshold", 0);
  const auto it = l.config().find("max_value");
  const bool limited = it != l.config().end() && it->is_number();
  const double limit = limited ? it->get<double>() : 0;
  if (threshold != 0) {  // x above it, else slope · (x - threshold); nothing above max_value
    const Value t = l.number(threshold, "/threshold"), above = l.apply("GreaterEqual", {l.x(), t}, {}, "/GreaterEqual");
    const Value kept = l.apply("Cast", {above}, {{"DstT", type_attribute(ElementType::f32)}}, "/Cast");
    Value v = l.apply(
        "Mul", {kept, limited ? l.apply("Minimum", {l.x(), l.number(limit, "/max_value")}, {}, "/Minimum") : l.x()}, {},
        "/kept");
    if (slope == 0) return {v};
    const Value below =
        l.apply("Minimum", {l.apply("Sub", {l.x(), t}, {}, "/Sub"), l.number(0, "/zero")}, {}, "/below");
    return {l.apply("AddV2", {v, l.apply("Mul", {below, l.number(slope, "/slope")}, {}, "/sloped")})};
  }
  if (slope == 0 && !limited) return {l.apply("Relu", {l.x()})};
  if (slope == 0 && limit == 6) return {l.apply("Relu6", {l.x()})};
  Value v = slope == 0 ? l.apply("Relu", {l.x()}, {}, "/Relu")
                       : l.apply("LeakyRelu", {l.x()}, {{"alpha", real_attribute(slope)}}, limited ? "/LeakyRelu" : "");
  return {limited ? l.apply("Minimum", {v, l.number(limit, "/max_value")}) : v};
}

std::vector<Value> leaky_relu(Layer& l) {
  return {l.apply("LeakyRelu", {l.x()}, {{"alpha", real_attribute(l.real("alpha", l.real("negative_slope", 0.3)))}})};
}

/// relu(x) - a · relu(-x)
std::vector<Value> parametric_relu(Layer& l) {
  const Value x = l.x();
  const Value slope = l.apply("Neg", {l.constant(l.weight("alpha", 0), "/alpha")}, {}, "/Neg");
  const Value negative = l.apply("Relu", {l.apply("Neg", {x}, {}, "/Neg_1")}, {}, "/Relu_1");
  return {l.apply("AddV2", {l.apply("Relu", {x}, {}, "/Relu"), l.apply("Mul", {slope, negative}, {}, "/mul")})};
}

std::vector<Value> elu(Layer& l) {
  const double alpha = l.real("alpha", 1);
  return {l.c.make("Elu", {l.x()}, tensorflow_import::attributes({{"alpha", alpha}}))};
}

std::vector<Value> softmax(Layer& l) {
  const int64_t axis = l.c.axis(l.integer("axis", -1), l.c.rank());
  return {l.c.make("Softmax", {l.x()}, tensorflow_import::attributes({{"axis", axis}}),
                   tensorflow_import::Context::kNewest, l.c.quirks() ? "/Softmax" : "")};
}

std::vector<Value> thresholded_relu(Layer& l) {
  const Value above = l.apply("Greater", {l.x(), l.number(l.real("theta", 1), "/theta")}, {}, "/Greater");
  return {l.apply("Mul", {l.apply("Cast", {above}, {{"DstT", type_attribute(ElementType::f32)}}, "/Cast"), l.x()})};
}

std::vector<Value> two_operands(Layer& l) { return operands(l, {{"x1", "x", "a"}, {"x2", "y", "b"}}); }

Value chain(Layer& l, const char* op, const std::string& last) {
  const size_t n = l.c.input_count();
  if (n == 1) return l.apply(op, two_operands(l), {}, last);  // an operation with a number, no layer
  Value v = l.c.input(0);
  for (size_t i = 1; i < n; ++i)
    v = l.apply(op, {v, l.c.input(i)}, {}, i + 1 < n ? "/" + std::string(op) + "_" + std::to_string(i) : last);
  return v;
}
std::vector<Value> add(Layer& l) { return {chain(l, "AddV2", "")}; }
std::vector<Value> multiply(Layer& l) { return {chain(l, "Mul", "")}; }
std::vector<Value> maximum(Layer& l) { return {chain(l, "Maximum", "")}; }
std::vector<Value> minimum(Layer& l) { return {chain(l, "Minimum", "")}; }
std::vector<Value> subtract(Layer& l) { return {chain(l, "Sub", "")}; }
/// A layer of several inputs; keras.ops has one of the elements along an axis.
std::vector<Value> average(Layer& l) {
  if (l.c.input_count() == 1) {
    if (!argument(l, {"weights"}, 2).is_null()) l.refuse("its elements are weighted");
    return {reduced(l, "Mean", l.x(), keeps_axes(l), "")};
  }
  return {l.apply("RealDiv", {chain(l, "AddV2", "/add"), l.number(static_cast<double>(l.c.input_count()), "/count")})};
}

/// A number, or a list of one per channel.
Value factor(Layer& l, const char* key, double fallback) {
  const auto it = l.config().find(key);
  std::vector<float> v{static_cast<float>(fallback)};
  if (it != l.config().end() && it->is_number()) v = {it->get<float>()};
  if (it != l.config().end() && it->is_array()) {
    v.clear();
    for (const Json& j : *it) v.push_back(j.is_number() ? j.get<float>() : 0);
  }
  const Shape shape = v.size() == 1 ? Shape{} : Shape{std::ssize(v)};
  return l.constant(Tensor::of(ElementType::f32, shape, v), std::string("/") + key);
}

Value as_real(Layer& l) {
  return is_float(l.x().type()) ? l.x()
                                : l.apply("Cast", {l.x()}, {{"DstT", type_attribute(ElementType::f32)}}, "/Cast");
}

std::vector<Value> rescaling(Layer& l) {
  const Value scaled = l.apply("Mul", {as_real(l), factor(l, "scale", 1)}, {}, "/mul");
  return {l.apply("AddV2", {scaled, factor(l, "offset", 0)})};
}

/// (x - mean) / max(sqrt(variance), eps): of weights, or of the configuration.
std::vector<Value> normalization(Layer& l) {
  const Tensor *mean = l.find_weight("mean", 0), *variance = l.find_weight("variance", 1);
  std::vector<float> m, v;
  Shape shape;
  if (mean && variance) {
    m = mean->to_f32();
    v = variance->to_f32();
    shape = mean->shape;
  } else {
    const std::function<void(const Json&, std::vector<float>&)> numbers = [&](const Json& j, std::vector<float>& to) {
      if (j.is_number()) to.push_back(j.get<float>());
      if (j.is_array())
        for (const Json& item : j) numbers(item, to);
    };
    numbers(l.config().value("mean", Json()), m);
    numbers(l.config().value("variance", Json()), v);
    shape = m.size() == 1 ? Shape{} : Shape{std::ssize(m)};
  }
  if (m.empty() || m.size() != v.size()) l.refuse("mean and variance are not known");
  if (l.flag("invert", false)) l.refuse("it is inverted");
  if (m.size() > 1 && static_cast<int64_t>(m.size()) != l.x().shape().back())
    l.refuse("it normalises other axes than the last");
  if (m.size() > 1) shape = {std::ssize(m)};
  for (float& x : v) x = std::max(std::sqrt(x), 1e-7f);
  const Value centred =
      l.apply("Sub", {as_real(l), l.constant(Tensor::of(ElementType::f32, shape, m), "/mean")}, {}, "/sub");
  return {l.apply("RealDiv", {centred, l.constant(Tensor::of(ElementType::f32, shape, v), "/deviation")})};
}

std::vector<Value> binary(Layer& l, const char* op) { return {l.apply(op, two_operands(l))}; }
template <char kOp>
std::vector<Value> arithmetic(Layer& l) {
  return binary(l, kOp == '+' ? "AddV2" : kOp == '-' ? "Sub" : kOp == '*' ? "Mul" : kOp == '/' ? "RealDiv" : "Pow");
}

constexpr LayerRow kOperators[] = {
    {"Activation", "", activation},
    {"ReLU", "Relu", relu},
    {"LeakyReLU", "LeakyRelu", leaky_relu},
    {"PReLU", "Relu", parametric_relu},
    {"ELU", "Elu", elu},
    {"Softmax", "Softmax", softmax},
    {"ThresholdedReLU", "Mul", thresholded_relu},
    {"Add", "AddV2", add},
    {"Subtract", "Sub", subtract},
    {"Multiply", "Mul", multiply},
    {"Average", "RealDiv", average},
    {"Maximum", "Maximum", maximum},
    {"Minimum", "Minimum", minimum},
    {"Rescaling", "Mul", rescaling},
    {"Normalization", "RealDiv", normalization},
    {"Divide", "RealDiv", arithmetic<'/'>},
    {"TrueDivide", "RealDiv", arithmetic<'/'>},
    {"Power", "Pow", arithmetic<'^'>},
};

}  // namespace

std::span<const LayerRow> element_layers() { return kOperators; }

}  // namespace blobsmith::keras_import
