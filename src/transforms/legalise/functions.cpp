// Functions that the VPU lacks, of what it has: sums, products, powers, exponentials, logarithms, rounding. Every step
// is rounded to FP16, so that steps that lose digits are avoided: angles lose whole turns by a multiple of pi in two
// parts, of which the first has so few digits that its multiples are exact:
//
//   sin(x) = (-1)^k sin(r),  k = round(x / pi),  r = (x - k 3.125) - k 0.01659265,  sin(r) = r (1 - r^2/6 + ...)
#include <cmath>
#include <numbers>

#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

constexpr double kPi = std::numbers::pi, kHalfPi = kPi / 2, kLn2 = std::numbers::ln2;
constexpr double kFewDigits = 3.125;  ///< of pi: its multiples up to 81 are exact

bool of_reals(const Node& n) { return is_float(n.element_type()); }

class Functions : public Terms {
 public:
  using Terms::Terms;

  /// c[0] + c[1] s + c[2] s^2 ...
  Value polynomial(Value s, std::initializer_list<double> c) {
    const double* last = c.end() - 1;
    Value y = add(multiply(s, *last), *(last - 1));
    for (const double* k = last - 1; k != c.begin(); --k) y = add(multiply(y, s), *(k - 1));
    return y;
  }
  Value power(Value x, double exponent) { return make("Power", {x, number(x, exponent)}); }
  Value reciprocal(Value x) { return power(x, -1); }
  Value square_root(Value x) { return power(x, 0.5); }
  Value minus(Value a, Value b) { return add(a, multiply(b, -1)); }
  Value is_negative(Value x) { return make("Less", {x, number(x, 0)}); }
  Value with_sign_of(Value x, Value size) {
    const Value opposite = multiply(size, -1);
    return choose(is_negative(x), opposite, size);
  }

  /// sin(r) from -pi/2 to pi/2
  Value small_sine(Value r) {
    const Value s = multiply(r, r);
    return multiply(r, polynomial(s, {1, -1.0 / 6, 1.0 / 120, -1.0 / 5040}));
  }
  /// x less `turns` times pi
  Value without_turns(Value x, Value turns) {
    const Value low = multiply(turns, kFewDigits - kPi);
    return add(add(x, multiply(turns, -kFewDigits)), low);
  }
  Value round(Value x) { return make("Round", {x}, transforms::attributes({{"mode", "half_to_even"}})); }
  Value parity(Value k) { return make("FloorMod", {k, number(k, 2)}); }

  /// atan(z) from -1 to 1
  Value small_arctangent(Value z) {
    const Value s = multiply(z, z);
    return multiply(z, polynomial(s, {0.9998660, -0.3302995, 0.1801410, -0.0851330, 0.0208351}));
  }
  Value half_square(Value v) { return multiply(multiply(v, 0.5), v); }
  Value hyperbolic_cosine(Value x) {
    const Value falling = half_square(make("Exp", {multiply(x, -0.5)}));
    return add(half_square(make("Exp", {multiply(x, 0.5)})), falling);
  }
  /// ln(a + b), which may be beyond FP16
  Value log_of_sum(Value a, Value b) {
    const Value half = multiply(b, 0.5);
    return add(make("Log", {add(multiply(a, 0.5), half)}), kLn2);
  }
};

Value sine(Rewriter& rw, const Node& n) {
  Functions f(rw);
  const Value x = n.input(0), k = f.round(f.multiply(x, 1 / kPi));
  const Value sign = f.add(f.multiply(f.parity(k), -2), 1);
  return f.multiply(f.small_sine(f.without_turns(x, k)), sign);
}

/// cos(x) = -(-1)^k sin(x - (k + 1/2) pi)
Value cosine(Rewriter& rw, const Node& n) {
  Functions f(rw);
  const Value x = n.input(0), k = f.round(f.add(f.multiply(x, 1 / kPi), -0.5));
  const Value sign = f.add(f.multiply(f.parity(k), 2), -1);
  return f.multiply(f.small_sine(f.without_turns(x, f.add(k, 0.5))), sign);
}

/// The cosine as the sine of what is left to pi/2, so that it is exact where it is small.
Value tangent(Rewriter& rw, const Node& n) {
  Functions f(rw);
  const Value x = n.input(0), k = f.round(f.multiply(x, 1 / kPi));
  // r = high + low, of which the first is exact; pi/2 in two parts alike
  const Value high = f.add(x, f.multiply(k, -kFewDigits)), low = f.multiply(k, kFewDigits - kPi);
  const Value r = f.add(high, low), below = f.is_negative(r);
  const auto opposed = [&](Value v) { return f.choose(below, v, f.multiply(v, -1)); };  // -|r| of its parts
  constexpr double kFewOfHalf = 1.5703125;
  const Value rest_low = f.add(opposed(low), kHalfPi - kFewOfHalf);
  const Value rest = f.add(f.add(opposed(high), kFewOfHalf), rest_low);
  const Value divided = f.reciprocal(f.small_sine(rest));
  return f.multiply(f.small_sine(r), divided);
}

/// Beyond 1: pi/2 - atan(1/x)
Value arctangent(Rewriter& rw, const Node& n) {
  Functions f(rw);
  const Value x = n.input(0), a = f.magnitude(x), one = f.number(x, 1);
  const Value divided = f.reciprocal(f.maximum(a, 1));
  const Value z = f.multiply(f.minimum(a, 1), divided);
  const Value y = f.small_arctangent(z);
  const Value beyond = f.add(f.multiply(y, -1), kHalfPi);
  const Value size = f.choose(f.make("Greater", {a, one}), beyond, y);
  return f.with_sign_of(x, size);
}

/// asin(x) = 2 atan(x / (1 + sqrt((1 - x) (1 + x))))
Value arcsine(Rewriter& rw, const Node& n) {
  Functions f(rw);
  const Value x = n.input(0);
  const Value more = f.add(x, 1);
  const Value root = f.square_root(f.multiply(f.add(f.multiply(x, -1), 1), more));
  return f.multiply(f.small_arctangent(f.multiply(x, f.reciprocal(f.add(root, 1)))), 2);
}

/// acos(a) = 2 atan(sqrt((1 - a) / (1 + a))), and pi less that of -x below 0
Value arccosine(Rewriter& rw, const Node& n) {
  Functions f(rw);
  const Value x = n.input(0), a = f.magnitude(x);
  const Value divided = f.power(f.add(a, 1), -0.5);
  const Value z = f.multiply(f.square_root(f.add(f.multiply(a, -1), 1)), divided);
  const Value y = f.multiply(f.small_arctangent(z), 2), beyond = f.add(f.multiply(y, -1), kPi);
  return f.choose(f.is_negative(x), beyond, y);
}

Value hyperbolic_cosine(Rewriter& rw, const Node& n) { return Functions(rw).hyperbolic_cosine(n.input(0)); }
Value hyperbolic_sine(Rewriter& rw, const Node& n) {
  Functions f(rw);
  const Value cosine = f.hyperbolic_cosine(n.input(0));
  return f.multiply(f.make("Tanh", {n.input(0)}), cosine);
}

/// Beyond 64 the root of x^2 + 1 is x, and no square leaves FP16.
Value area_sine(Rewriter& rw, const Node& n) {
  Functions f(rw);
  const Value x = n.input(0), a = f.magnitude(x), c = f.minimum(a, 64), above = f.minus(a, c);
  const Value root = f.add(f.square_root(f.add(f.multiply(c, c), 1)), above);
  return f.with_sign_of(x, f.log_of_sum(a, root));
}
Value area_cosine(Rewriter& rw, const Node& n) {
  Functions f(rw);
  const Value x = n.input(0), c = f.minimum(x, 64), above = f.minus(x, c), more = f.add(c, 1);
  const Value root = f.add(f.square_root(f.multiply(f.add(c, -1), more)), above);
  return f.log_of_sum(x, root);
}
Value area_tangent(Rewriter& rw, const Node& n) {
  Functions f(rw);
  const Value x = n.input(0);
  const Value above = f.make("Log", {f.add(x, 1)}), below = f.make("Log", {f.add(f.multiply(x, -1), 1)});
  return f.multiply(f.minus(above, below), 0.5);
}

bool has_constant_numbers(const Node& n) {
  return of_reals(n) && transforms::single_value(n.input(1)) && transforms::single_value(n.input(2));
}
Value selu(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Value elu =
      t.make("Elu", {n.input(0)}, transforms::attributes({{"alpha", *transforms::single_value(n.input(1))}}));
  return t.multiply(elu, *transforms::single_value(n.input(2)));
}

/// The remainder with the sign of x: that of its positive part less that of its negative one.
Value remainder(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Value x = n.input(0), divisor = t.magnitude(n.input(1));
  const Value above = t.make("FloorMod", {t.make("Relu", {x}), divisor});
  const Value below = t.make("FloorMod", {t.make("Relu", {t.multiply(x, -1)}), divisor});
  return t.subtract(above, below);
}

// The errors are those of FP16 arithmetic, relative to results above 1: held by transforms_legalise_test.
constexpr SpelledRow kRows[] = {
    {{"Sin"}, of_reals, sine, "a polynomial behind the removal of half turns", 2e-3},
    {{"Cos"}, of_reals, cosine, "a polynomial behind the removal of half turns", 2e-3},
    {{"Tan"}, of_reals, tangent, "sine by cosine", 6e-3},
    {{"Asin"}, of_reals, arcsine, "2 atan(x / (1 + sqrt((1 - x) (1 + x))))", 2e-3},
    {{"Acos"}, of_reals, arccosine, "2 atan(sqrt((1 - x) / (1 + x)))", 2e-3},
    {{"Atan"}, of_reals, arctangent, "a polynomial of x or 1/x", 2e-3},
    {{"Sinh"}, of_reals, hyperbolic_sine, "Tanh times Cosh", 4e-3},
    {{"Cosh"}, of_reals, hyperbolic_cosine, "half the sum of two exponentials", 3e-3},
    {{"Asinh"}, of_reals, area_sine, "Log(x + sqrt(x^2 + 1))", 2e-3},
    {{"Acosh"}, of_reals, area_cosine, "Log(x + sqrt(x^2 - 1))", 2e-3},
    {{"Atanh"}, of_reals, area_tangent, "half the difference of two logarithms", 2e-3},
    {{"Mod"}, of_reals, remainder, "FloorMod of the positive part less that of the negative one", 0},
    {{"Selu"}, has_constant_numbers, selu, "a factor times Elu", 0},
};

}  // namespace

std::span<const SpelledRow> function_rows() { return kRows; }

}  // namespace blobsmith::legalise_rows
