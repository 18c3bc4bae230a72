// Arithmetic of integers. The VPU adds, multiplies, divides (towards zero) and compares (equal, at least) 32-bit
// integers, takes the larger and the smaller of two, and reduces them; all of it exact, wrapping around. FP16 would
// hold them up to 2048 only.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

bool of_integers(const Node& n) { return is_integer(n.input(0).type()) && is_integer(n.element_type()); }

Value magnitude(Rewriter& rw, const Node& n) { return Terms(rw).magnitude(n.input(0)); }
Value sign(Rewriter& rw, const Node& n) {
  Terms t(rw);
  return t.maximum(t.minimum(n.input(0), 1), -1);
}
Value relu(Rewriter& rw, const Node& n) { return Terms(rw).maximum(n.input(0), 0); }
/// Whole numbers are their own floor, ceiling and rounded value.
Value same(Rewriter& rw, const Node& n) { return Terms(rw).add(n.input(0), 0); }

Value clamp(Rewriter& rw, const Node& n) {
  Terms t(rw);
  constexpr double kLow = std::numeric_limits<int32_t>::min(), kHigh = std::numeric_limits<int32_t>::max();
  const double low = std::ceil(n.attrs.real("min")), high = std::floor(n.attrs.real("max"));
  Value y = n.input(0);
  // In this order: a Minimum of a Maximum would become a Clamp again.
  if (high < kHigh) y = t.minimum(y, std::max(high, kLow));
  if (low > kLow) y = t.maximum(y, std::min(low, kHigh));
  return y == n.input(0) ? same(rw, n) : y;
}

/// Minimum(Maximum(x, low), high), which would become a Clamp of reals.
std::optional<std::array<Value, 3>> bounded(const Node& n) {
  for (const auto& [inner, high] : transforms::either_order(&n)) {
    const Node* maximum = transforms::producer(inner, "Maximum");
    const auto above = transforms::single_value(high);
    if (!maximum || !above) continue;
    for (const auto& [x, low] : transforms::either_order(maximum))
      if (const auto below = transforms::single_value(low); below && *below <= *above) return std::array{x, low, high};
  }
  return std::nullopt;
}
bool is_bounded(const Node& n) { return of_integers(n) && bounded(n); }
Value bounded_otherwise(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const auto [x, low, high] = *bounded(n);
  return t.maximum(t.minimum(x, high), low);
}

/// The exponent, where it is one small constant.
std::optional<int64_t> constant_exponent(const Node& n) {
  const auto e = transforms::uniform_value(n.input(1));
  if (!e || *e != std::floor(*e) || *e < 0 || *e > 31) return std::nullopt;
  return static_cast<int64_t>(*e);
}

/// By repeated squares; computed exponents bit by bit (beyond 31 every power overflows).
Value power(Rewriter& rw, const Node& n) {
  Terms t(rw);
  Value square = n.input(0);
  if (const auto e = constant_exponent(n)) {
    Value y;
    for (int64_t rest = *e; rest > 0; rest /= 2) {
      if (rest % 2) y = y ? t.multiply(y, square) : square;
      if (rest > 1) square = t.multiply(square, square);
    }
    if (!y) y = t.add(t.multiply(n.input(0), 0), 1);
    return y == n.input(0) ? same(rw, n) : y;
  }
  Value rest = t.convert(t.maximum(t.minimum(n.input(1), 31), 0), square.type()), y;
  const Value one = t.number(square, 1), two = t.number(square, 2);
  for (int bit = 0; bit < 5; ++bit) {
    const Value half = t.quotient(rest, two), odd = t.subtract(rest, t.multiply(half, two));
    // square where the bit is set, else 1
    const Value factor = t.add(t.multiply(odd, t.subtract(square, one)), one);
    y = y ? t.multiply(y, factor) : factor;
    rest = half;
    if (bit < 4) square = t.multiply(square, square);
  }
  return y;
}

Value floor_mod(Rewriter& rw, const Node& n) { return Terms(rw).floor_remainder(n.input(0), n.input(1)); }
Value mod(Rewriter& rw, const Node& n) {
  Terms t(rw);
  return t.subtract(n.input(0), t.multiply(t.quotient(n.input(0), n.input(1)), n.input(1)));
}

Value squared_difference(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Value d = t.subtract(n.input(0), n.input(1));
  return t.multiply(d, d);
}

bool divides_downwards(const Node& n) { return of_integers(n) && n.attrs.flag("m_pythondiv", true); }
Value floor_quotient(Rewriter& rw, const Node& n) {
  Terms t(rw);
  return t.quotient(t.subtract(n.input(0), t.floor_remainder(n.input(0), n.input(1))), n.input(1));
}

// ---- reductions -----------------------------------------------------------------------------------------------------

bool reduces_integers(const Node& n) {
  return is_whole(n.input(0).type()) && transforms::constant_of(n.input(1)) && !n.attrs.flag(kStaysReduction, false);
}
std::vector<int64_t> axes_of(const Node& n) {
  return transforms::normalized_axes(n.input(1).node->constant.to_i64(), n.input(0).shape().size());
}
Value reduction(Rewriter& rw, const Node& n) {
  return Terms(rw).reduce(n.type.c_str(), n.input(0), axes_of(n), n.attrs.flag("keep_dims"));
}
Value sum_of_magnitudes(Rewriter& rw, const Node& n) {
  Terms t(rw);
  return t.reduce("ReduceSum", t.magnitude(n.input(0)), axes_of(n), n.attrs.flag("keep_dims"));
}

/// Rows times columns, added up as integers. The products exist all at once, so that there may not be too many.
constexpr int64_t kMostProducts = int64_t{1} << 22;
struct Matrices {
  Shape outer;
  int64_t rows, inner, columns;
};
std::optional<Matrices> matrices(const Node& n) {
  const Shape &a = n.input(0).shape(), &b = n.input(1).shape();
  if (!of_integers(n) || a.size() < 2 || b.size() < 2 || !is_static(a) || !is_static(b)) return std::nullopt;
  Matrices m;
  const bool ta = n.attrs.flag("transpose_a"), tb = n.attrs.flag("transpose_b");
  m.rows = a[a.size() - (ta ? 1 : 2)];
  m.inner = a[a.size() - (ta ? 2 : 1)];
  m.columns = b[b.size() - (tb ? 2 : 1)];
  m.outer.assign(n.shape().begin(), n.shape().end() - 2);
  if (element_count(n.shape()) * m.inner > kMostProducts) return std::nullopt;
  return m;
}
bool multiplies_matrices(const Node& n) { return matrices(n).has_value(); }

Value matrix_product(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const auto prepared = [&](int port, bool turn, int64_t new_axis) {
    Value v = n.input(port);
    const size_t rank = v.shape().size();
    if (turn) {
      std::vector<int64_t> order = order_with_last(rank, static_cast<int64_t>(rank) - 2);
      v = t.transpose(v, order);
    }
    Shape s = v.shape();
    s.insert(s.end() - new_axis, 1);
    return t.reshape(v, s);
  };
  // [.., rows, 1, inner] times [.., 1, columns, inner]
  const Value a = prepared(0, n.attrs.flag("transpose_a"), 1), b = prepared(1, !n.attrs.flag("transpose_b"), 2);
  const Value products = t.multiply(a, b);
  return t.reduce("ReduceSum", products, {static_cast<int64_t>(products.shape().size()) - 1}, false);
}

constexpr SpelledRow kRows[] = {
    {{"Abs"}, of_integers, magnitude, "Maximum(x, -x) of integers"},
    {{"Sign"}, of_integers, sign, "the integer clamped to -1..1"},
    {{"Relu"}, of_integers, relu, "Maximum(x, 0) of integers"},
    {{"Floor", "Ceiling", "Round"}, of_integers, same, "the integer itself"},
    {{"Clamp"}, of_integers, clamp, "Maximum and Minimum of integers"},
    {{"Minimum"}, is_bounded, bounded_otherwise, "Maximum of a Minimum of integers"},
    {{"Power"}, of_integers, power, "products of integers"},
    {{"FloorMod"}, of_integers, floor_mod, "the remainder in integers, with the sign of the divisor"},
    {{"Mod"}, of_integers, mod, "the remainder in integers"},
    {{"SquaredDifference"}, of_integers, squared_difference, "a difference times itself, in integers"},
    {{"Divide"}, divides_downwards, floor_quotient, "the quotient rounded down, in integers"},
    {{"ReduceMax", "ReduceMin", "ReduceSum", "ReduceMean"}, reduces_integers, reduction, "a reduction in integers"},
    {{"ReduceL1"}, reduces_integers, sum_of_magnitudes, "a sum of magnitudes in integers"},
    {{"MatMul"}, multiplies_matrices, matrix_product, "products and their sums in integers"},
};

}  // namespace

std::span<const SpelledRow> integer_rows() { return kRows; }

}  // namespace blobsmith::legalise_rows
