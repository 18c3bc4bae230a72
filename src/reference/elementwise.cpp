// Element-wise operations that constant folding lacks, and those that it computes element by element by name: here they
// are loops, since whole feature maps go through them (opset 1..7).
#include <algorithm>
#include <cmath>

#include "graph/ops/numbers.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

template <class F>
Outputs map(const Call& c, F f) {
  const auto x = c.floats(0);
  std::vector<float> y(x.size());
  std::ranges::transform(x, y.begin(), f);
  return {float_tensor(c.out_shape(), std::move(y))};
}

/// Floats by `f` (double to double); other types as constant folding has them.
template <double (*F)(double)>
Outputs real_function(const Call& c) {
  if (c.input(0).type != ElementType::f32) return evaluate(c.node(), c.inputs());
  return map(c, [](float x) { return static_cast<float>(F(static_cast<double>(x))); });
}

double relu(double x) { return x > 0 ? x : x == x ? 0 : x; }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double soft_plus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double mish(double x) { return x * std::tanh(soft_plus(x)); }

/// Two operands, broadcast as numpy does.
template <class T, class F>
std::vector<T> zip(const Call& c, std::span<const T> a, std::span<const T> b, F f) {
  const Shape& shape = c.out_shape();
  std::vector<T> y(static_cast<size_t>(c.out_count()));
  if (a.size() == y.size() && b.size() == y.size()) {
    std::ranges::transform(a, b, y.begin(), f);
  } else {
    ops::for_each_position(shape, 0, ops::broadcast_strides(c.shape(0), shape),
                           [&](int64_t i, int64_t at) { y[static_cast<size_t>(i)] = a[static_cast<size_t>(at)]; });
    ops::for_each_position(shape, 0, ops::broadcast_strides(c.shape(1), shape), [&](int64_t i, int64_t at) {
      auto& v = y[static_cast<size_t>(i)];
      v = f(v, b[static_cast<size_t>(at)]);
    });
  }
  return y;
}
template <class F>
Outputs zip_floats(const Call& c, F f) {
  c.require(c.input(0).type == ElementType::f32 && c.input(1).type == ElementType::f32, "its inputs are not floating");
  return {float_tensor(c.out_shape(), zip<float>(c, c.floats(0), c.floats(1), f))};
}
template <class F>
Outputs zip_integers(const Call& c, F f) {
  const std::vector<int64_t> a = c.integers(0), b = c.integers(1);
  return {integer_tensor(c.node().element_type(), c.out_shape(), zip<int64_t>(c, a, b, f))};
}

template <float (*F)(float, float)>
Outputs binary(const Call& c) {
  // Operands that are not aligned from the back are rare.
  if (c.input(0).type != ElementType::f32 || c.attrs().text("auto_broadcast", "numpy") == "pdpd")
    return evaluate(c.node(), c.inputs());
  return zip_floats(c, F);
}
float add(float a, float b) { return a + b; }
float subtract(float a, float b) { return a - b; }
float multiply(float a, float b) { return a * b; }
float divide(float a, float b) { return a / b; }

Outputs run_squared_difference(const Call& c) {
  if (c.input(0).type == ElementType::f32) return zip_floats(c, [](float a, float b) { return (a - b) * (a - b); });
  return zip_integers(c, [](int64_t a, int64_t b) {
    return ops::wrapping_multiply(ops::wrapping_subtract(a, b), ops::wrapping_subtract(a, b));
  });
}

/// The remainder has the sign of the dividend.
Outputs run_mod(const Call& c) {
  if (c.input(0).type == ElementType::f32) return zip_floats(c, [](float a, float b) { return std::fmod(a, b); });
  return zip_integers(c, [&](int64_t a, int64_t b) {
    c.require(b != 0, "a division by zero");
    return b == -1 ? 0 : a % b;
  });
}

Outputs run_elu(const Call& c) {
  const double alpha = c.attrs().real("alpha");
  return map(c, [=](float x) { return x < 0 ? static_cast<float>(alpha * std::expm1(static_cast<double>(x))) : x; });
}

Outputs run_clamp(const Call& c) {
  if (c.input(0).type != ElementType::f32) return evaluate(c.node(), c.inputs());
  const auto low = static_cast<float>(c.attrs().real("min")), high = static_cast<float>(c.attrs().real("max"));
  return map(c, [=](float x) { return x < low ? low : high < x ? high : x; });
}

Outputs run_hard_sigmoid(const Call& c) {
  const double alpha = c.real(1), beta = c.real(2);
  return map(c,
             [=](float x) { return static_cast<float>(std::clamp(alpha * static_cast<double>(x) + beta, 0.0, 1.0)); });
}

Outputs run_selu(const Call& c) {
  const double alpha = c.real(1), lambda = c.real(2);
  return map(c, [=](float x) {
    return static_cast<float>(lambda * (x > 0 ? static_cast<double>(x) : alpha * std::expm1(static_cast<double>(x))));
  });
}

/// Levels between the limits of the input become levels between those of the output.
Outputs run_fake_quantize(const Call& c) {
  const Shape& shape = c.out_shape();
  std::vector<std::vector<float>> limits(4, std::vector<float>(static_cast<size_t>(c.out_count())));
  for (int k = 0; k < 4; ++k)
    ops::for_each_position(shape, 0, ops::broadcast_strides(c.shape(k + 1), shape), [&](int64_t i, int64_t at) {
      limits[static_cast<size_t>(k)][static_cast<size_t>(i)] = c.floats(k + 1)[static_cast<size_t>(at)];
    });
  const auto steps = static_cast<double>(c.attrs().integer("levels") - 1);
  std::vector<float> y(limits[0].size());
  for (size_t i = 0; i < y.size(); ++i) {
    const auto x = static_cast<double>(c.floats(0)[i]), il = static_cast<double>(limits[0][i]),
               ih = static_cast<double>(limits[1][i]), ol = static_cast<double>(limits[2][i]),
               oh = static_cast<double>(limits[3][i]);
    if (x <= std::min(il, ih))
      y[i] = limits[2][i];
    else if (x > std::max(il, ih))
      y[i] = limits[3][i];
    else
      y[i] = static_cast<float>(std::nearbyint((x - il) / (ih - il) * steps) / steps * (oh - ol) + ol);
  }
  return {float_tensor(shape, std::move(y))};
}

constexpr OperationRow kOperations[] = {
    {"Relu", kAnyVersion, real_function<relu>},
    {"Sigmoid", kAnyVersion, real_function<sigmoid>},
    {"SoftPlus", kAnyVersion, real_function<soft_plus>},
    {"Mish", kAnyVersion, real_function<mish>},
    {"Tanh", kAnyVersion, real_function<std::tanh>},
    {"Exp", kAnyVersion, real_function<std::exp>},
    {"Sqrt", kAnyVersion, real_function<std::sqrt>},
    {"Erf", kAnyVersion, real_function<std::erf>},
    {"Add", kAnyVersion, binary<add>},
    {"Subtract", kAnyVersion, binary<subtract>},
    {"Multiply", kAnyVersion, binary<multiply>},
    {"Divide", kAnyVersion, binary<divide>},
    {"SquaredDifference", kAnyVersion, run_squared_difference},
    {"Mod", kAnyVersion, run_mod},
    {"Elu", kAnyVersion, run_elu},
    {"Clamp", kAnyVersion, run_clamp},
    {"HardSigmoid", kAnyVersion, run_hard_sigmoid},
    {"Selu", kAnyVersion, run_selu},
    {"FakeQuantize", kAnyVersion, run_fake_quantize},
};

}  // namespace

std::span<const OperationRow> elementwise_operations() { return kOperations; }

}  // namespace blobsmith::reference
