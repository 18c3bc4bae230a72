// Operations of one tensor that keep its shape: activations, mathematical functions, conversions (front-end spec
// §15.1).
#include <algorithm>
#include <cmath>
#include <numbers>

#include "graph/ops/numbers.hpp"
#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {
namespace {

using enum AttributeKind;
constexpr AttributeSpec kElu[] = {{"alpha", Real, kMandatory}};
constexpr AttributeSpec kClamp[] = {{"min", Real, kMandatory}, {"max", Real, kMandatory}};
constexpr AttributeSpec kGelu[] = {{"approximation_mode", Choice, "erf", "ERF|TANH"}};
constexpr AttributeSpec kRound[] = {{"mode", Choice, "half_to_even", "half_to_even|half_away_from_zero"}};
constexpr AttributeSpec kConvert[] = {{"destination_type", Type, kMandatory}};

void infer_clamp(Inference& in) {
  in.require(!(in.attrs().real("max") < in.attrs().real("min")), "Attribute 'min' must be less than 'max'");
  infer_like_input(in);
}

void infer_logical_not(Inference& in) { in.output(in.replaceable_type(ElementType::boolean), in.shape()); }

void infer_convert(Inference& in) {
  const auto type = parse_element_type(in.attrs().text("destination_type"));
  if (!type) in.fail_type("unknown destination type");
  in.output(*type, in.shape());
}

void infer_convert_like(Inference& in) { in.output(in.type(1), in.shape()); }

void infer_swish(Inference& in) {
  if (in.input_count() == 2 && in.rank(1) != 0 && !(in.rank(1) == 1 && in.dim(1, 0) == 1))
    in.fail("Swish operation's beta must be a scalar");
  infer_like_input(in);
}

// ---- constant folding: one real function per type; integers go through double ----

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

// A function of a library, in the precision it is computed in; rounded once.
template <class R>
std::optional<R> library_function(std::string_view type, R x) {
  const R one(1);
  if (type == "Tanh") return std::tanh(x);
  if (type == "Exp") return std::exp(x);
  if (type == "Log") return std::log(x);
  if (type == "Sqrt") return std::sqrt(x);
  if (type == "Erf") return std::erf(x);
  if (type == "Sin") return std::sin(x);
  if (type == "Cos") return std::cos(x);
  if (type == "Tan") return std::tan(x);
  if (type == "Sinh") return std::sinh(x);
  if (type == "Cosh") return std::cosh(x);
  if (type == "Asin") return std::asin(x);
  if (type == "Acos") return std::acos(x);
  if (type == "Atan") return std::atan(x);
  if (type == "Asinh") return std::asinh(x);
  if (type == "Acosh") return std::acosh(x);
  if (type == "Atanh") return std::atanh(x);
  if (type == "SoftPlus") return std::log(std::exp(x) + one);
  if (type == "Mish") return x * std::tanh(std::log(std::exp(x) + one));
  return std::nullopt;
}

// Halves round up with the next even number below, which makes small negative numbers +0.
template <class R>
R half_to_even(R x) {
  const R below = std::floor(x), rest = x - below;
  return rest < R(0.5) || (rest == R(0.5) && std::fmod(below, R(2)) == 0) ? below : below + R(1);
}

// Gelu computes in double, but for FP16 the argument of erf or tanh is rounded first.
template <class T>
double gelu(const Node& n, T t) {
  const auto x = static_cast<double>(t);
  constexpr bool kRounds = std::is_same_v<T, Rounded>;
  const auto rounded = [](double v) { return kRounds ? static_cast<double>(Rounded(v)) : v; };
  const std::string mode = n.attrs.text("approximation_mode", "erf");  // in capitals in IRs of Model Optimizer
  if (mode != "tanh" && mode != "TANH") return 0.5 * x * (1 + std::erf(rounded(x * (1 / std::numbers::sqrt2))));
  const auto f = static_cast<float>(t);
  const double cubic = kRounds ? static_cast<double>(f + 0.044715F * (f * f * f)) : x + 0.044715 * x * x * x;
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * rounded(cubic)));
}

// Formulas with steps that are rounded to T. R is the type that T computes in.
template <class T, class R>
T stepwise(const Node& n, T x) {
  const auto gate = [&] { return T(std::min(std::max(R(T(R(x) + R(3))), R(0)), R(6))); };
  if (n.is("Sigmoid")) return T(R(1) / (R(1) + R(T(std::exp(-R(x))))));
  if (n.is("HSigmoid")) return T(R(gate()) / R(6));
  if (n.is("HSwish")) return T(R(T(R(x) * R(gate()))) / R(6));
  if (n.is("Gelu")) return T(gelu(n, x));
  throw internal_error("folding " + n.type);
}

// Functions that are exact on integers too.
template <class T>
std::optional<T> exact(const Node& n, T x) {
  if (n.is("Abs")) return x < T(0) ? subtract(T(0), x) : x;
  if (n.is("Relu")) return x > T(0) ? x : T(0);
  if (n.is("Sign")) return T(sign(static_cast<double>(x)));
  if (n.is("LogicalNot")) return T(x == T(0) ? 1 : 0);
  if constexpr (std::is_same_v<T, int64_t>) {
    if (n.is("Floor") || n.is("Ceiling") || n.is("Round")) return x;
  } else {
    if (n.is("Floor")) return T(std::floor(x));
    if (n.is("Ceiling")) return T(std::ceil(x));
    if (n.is("Round"))
      return T(n.attrs.text("mode", "half_to_even") == "half_to_even" ? half_to_even(static_cast<double>(x))
                                                                      : std::round(static_cast<double>(x)));
  }
  return std::nullopt;
}

template <class T>
T apply(const Node& n, T x) {
  using R = std::conditional_t<std::is_same_v<T, Rounded>, float,
                               std::conditional_t<std::is_same_v<T, float>, float, double>>;
  if (const auto y = exact(n, x)) return *y;
  const auto result = library_function(n.type, static_cast<R>(x));
  if constexpr (std::is_same_v<T, int64_t>)
    return truncate(result ? *result : stepwise<double, double>(n, static_cast<double>(x)));
  else
    return result ? T(*result) : stepwise<T, R>(n, x);
}

template <class F>
std::vector<Tensor> map_elements(const Node& n, const Tensor& input, F f) {
  std::vector<Tensor> result;
  with_working_type(input.type, [&](auto zero) {
    using T = decltype(zero);
    auto values = load<T>(input);
    if (!values) return;
    std::ranges::transform(*values, values->begin(), f);
    result = {store<T>(n.element_type(), n.shape(), *values)};
  });
  return result;
}

std::vector<Tensor> evaluate_unary(const Node& n, Tensors inputs) {
  // The function's name is looked up per element; constants of these kinds are small or rare.
  return map_elements(n, *inputs[0], [&](auto x) { return apply(n, x); });
}

// Minus zero stays minus zero.
std::vector<Tensor> evaluate_negative(const Node& n, Tensors inputs) {
  return map_elements(n, *inputs[0], [](auto x) {
    using T = decltype(x);
    if constexpr (std::is_same_v<T, int64_t>)
      return wrapping_subtract(0, x);
    else
      return T(-x);
  });
}

std::vector<Tensor> evaluate_clamp(const Node& n, Tensors inputs) {
  const double low = n.attrs.real("min"), high = n.attrs.real("max");
  return map_elements(n, *inputs[0], [&](auto x) {
    using T = decltype(x);
    if constexpr (std::is_same_v<T, int64_t>)
      return std::min(std::max(x, truncate(std::ceil(low))), truncate(std::floor(high)));
    else
      return T(x < T(low) ? T(low) : T(high) < x ? T(high) : x);
  });
}

std::vector<Tensor> evaluate_swish(const Node& n, Tensors inputs) {
  const double beta =
      inputs.size() > 1 && inputs[1]->to_f32().size() == 1 ? static_cast<double>(inputs[1]->to_f32()[0]) : 1.0;
  return map_elements(n, *inputs[0], [&](auto x) {
    using T = decltype(x);
    if constexpr (std::is_same_v<T, double>)
      return x / (1.0 + std::exp(-x * beta));
    else
      return T(static_cast<float>(x) / (1.0F + std::exp(-static_cast<float>(x) * static_cast<float>(beta))));
  });
}

std::vector<Tensor> evaluate_prelu(const Node& n, Tensors inputs) {
  const Shape& data = n.shape();
  Shape slope = inputs[1]->shape;
  // A vector lies on the channels.
  if (slope.size() == 1 && slope[0] != 1 && data.size() > 1) slope.resize(data.size() - 1, 1);
  if (broadcast(data, slope) != data) return {};
  std::vector<Tensor> result;
  with_working_type(n.element_type(), [&](auto zero) {
    using T = decltype(zero);
    auto values = load<T>(*inputs[0]);
    const auto slopes = load<T>(*inputs[1]);
    if (!values || !slopes) return;
    for_each_position(data, 0, broadcast_strides(slope, data), [&](int64_t i, int64_t at) {
      T& x = (*values)[static_cast<size_t>(i)];
      if (x < T(0)) x = multiply(x, (*slopes)[static_cast<size_t>(at)]);
    });
    result = {store<T>(n.element_type(), data, *values)};
  });
  return result;
}

std::vector<Tensor> evaluate_convert(const Node& n, Tensors inputs) {
  const Tensor& input = *inputs[0];
  if (!is_byte_sized(n.element_type()) || n.element_type() == ElementType::bf16) return {};
  std::vector<Tensor> result;
  // Through double both f16 and f32 go unchanged; each is rounded once.
  with_working_type(input.type, [&](auto zero) {
    using T = std::conditional_t<std::is_same_v<decltype(zero), int64_t>, int64_t, double>;
    const auto values = load<T>(input);
    if (values) result = {store<T>(n.element_type(), n.shape(), *values)};
  });
  return result;
}

constexpr OpRow unary_op(std::string_view type, int opset = 1) {
  return {type, 0, {opset, 7}, 1, 1, {}, infer_like_input, evaluate_unary};
}

constexpr OpRow kOps[] = {
    unary_op("Abs"),
    unary_op("Acos"),
    unary_op("Acosh", 4),
    unary_op("Asin"),
    unary_op("Asinh", 4),
    unary_op("Atan"),
    unary_op("Atanh", 4),
    unary_op("Ceiling"),
    unary_op("Cos"),
    unary_op("Cosh"),
    unary_op("Erf"),
    unary_op("Exp"),
    unary_op("Floor"),
    unary_op("HSwish", 4),
    unary_op("HSigmoid", 5),
    unary_op("Log"),
    unary_op("Mish", 4),
    {"Negative", 0, {1, 7}, 1, 1, {}, infer_like_input, evaluate_negative},
    unary_op("Relu"),
    unary_op("Sigmoid"),
    unary_op("Sign"),
    unary_op("Sin"),
    unary_op("Sinh"),
    unary_op("SoftPlus", 4),
    unary_op("Sqrt"),
    unary_op("Tan"),
    unary_op("Tanh"),
    {"LogicalNot", 0, {1, 7}, 1, 1, {}, infer_logical_not, evaluate_unary},
    {"Elu", 0, {1, 7}, 1, 1, kElu, infer_like_input},
    {"Clamp", 0, {1, 7}, 1, 1, kClamp, infer_clamp, evaluate_clamp},
    {"Gelu", 0, {2, 6}, 1, 1, {}, infer_like_input, evaluate_unary},
    {"Gelu", 7, {7, 7}, 1, 1, kGelu, infer_like_input, evaluate_unary},
    {"Swish", 0, {4, 7}, 1, 2, {}, infer_swish, evaluate_swish},
    {"HardSigmoid", 0, {1, 7}, 3, 3, {}, infer_like_input},
    {"Selu", 0, {1, 7}, 3, 3, {}, infer_like_input},
    {"PRelu", 0, {1, 7}, 2, 2, {}, infer_like_input, evaluate_prelu},
    {"Round", 0, {5, 7}, 1, 1, kRound, infer_like_input, evaluate_unary},
    {"Convert", 0, {1, 7}, 1, 1, kConvert, infer_convert, evaluate_convert},
    {"ConvertLike", 0, {1, 7}, 2, 2, {}, infer_convert_like, evaluate_convert},
};

}  // namespace

std::span<const OpRow> activation_ops() { return kOps; }

}  // namespace blobsmith::ops
