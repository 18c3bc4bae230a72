// Running sums, and products of many.
#include <algorithm>
#include <cmath>

#include "transforms/legalise/terms.hpp"

namespace blobsmith::legalise_rows {
namespace {

using transforms::constant_of;

/// Up to this length running sums of real numbers are a product by a triangle of ones: one rounding, not one a step.
constexpr int64_t kLargestTriangle = 1024;

bool has_constant_axis(const Node& n) {
  return is_static(n.shape()) && (n.input_count() < 2 || constant_of(n.input(1))) && !n.shape().empty();
}

/// Ones where element `from` counts for the sum at `to`.
Value triangle(Terms& t, Value like, int64_t n, bool exclusive, bool reverse) {
  std::vector<double> ones(static_cast<size_t>(n * n), 0.0);
  for (int64_t from = 0; from < n; ++from)
    for (int64_t to = 0; to < n; ++to) {
      const bool counts = reverse ? from > to || (from == to && !exclusive) : from < to || (from == to && !exclusive);
      if (counts) ones[static_cast<size_t>(from * n + to)] = 1;
    }
  return t.rewriter().constant(Tensor::reals(like.type(), {n, n}, ones));
}

/// The elements moved by `by` places along the axis, zeros behind them.
Value moved(Terms& t, Value x, int64_t axis, int64_t by, bool to_front) {
  const int64_t size = x.shape()[static_cast<size_t>(axis)];
  Shape s = x.shape();
  s[static_cast<size_t>(axis)] = std::min(by, size);
  const Value zeros = t.filled(x.type(), s, 0);
  if (by >= size) return zeros;
  return to_front ? t.concat({t.slice(x, axis, by, size), zeros}, axis)
                  : t.concat({zeros, t.slice(x, axis, 0, size - by)}, axis);
}

Value cumulative_sum(Rewriter& rw, const Node& n) {
  Terms t(rw);
  Value x = n.input(0);
  const int64_t stated = n.input_count() > 1 ? n.input(1).node->constant.to_i64().at(0) : 0;
  const auto axis = static_cast<int64_t>(transforms::axis_from_front(stated, x.shape().size()));
  const bool exclusive = n.attrs.flag("exclusive", false), reverse = n.attrs.flag("reverse", false);
  const int64_t size = x.shape()[static_cast<size_t>(axis)];
  if (is_float(x.type()) && size <= kLargestTriangle) {
    const auto order = order_with_last(x.shape().size(), axis);
    const Value rows = t.reshape(t.transpose(x, order), {element_count(x.shape()) / size, size});
    const Value sums = t.make("MatMul", {rows, triangle(t, x, size, exclusive, reverse)},
                              transforms::attributes({{"transpose_a", false}, {"transpose_b", false}}));
    Shape turned;
    for (const int64_t a : order) turned.push_back(x.shape()[static_cast<size_t>(a)]);
    return t.transpose(t.reshape(sums, turned), inverse_order(order));
  }
  for (int64_t by = 1; by < size; by *= 2) x = t.add(x, moved(t, x, axis, by, reverse));
  if (exclusive) x = moved(t, x, axis, 1, reverse);
  return x == n.input(0) ? t.add(x, 0) : x;
}

bool has_constant_axes(const Node& n) {
  return constant_of(n.input(1)) && is_static(n.input(0).shape()) &&
         !is_float(n.input(0).type()) == is_whole(n.input(0).type());
}

/// Halves of one axis after the other are multiplied with each other.
Value product(Rewriter& rw, const Node& n) {
  Terms t(rw);
  Value x = n.input(0);
  const auto axes = transforms::normalized_axes(n.input(1).node->constant.to_i64(), x.shape().size());
  for (const int64_t axis : axes) {
    int64_t size = x.shape()[static_cast<size_t>(axis)];
    while (size > 1) {
      const int64_t half = size / 2;
      const Value second = t.slice(x, axis, half, 2 * half);
      Value pairs = t.multiply(t.slice(x, axis, 0, half), second);
      if (size % 2) pairs = t.concat({pairs, t.slice(x, axis, size - 1, size)}, axis);
      x = pairs;
      size = half + size % 2;
    }
  }
  if (x.shape() == n.shape() && x != n.input(0)) return x;
  return t.reshape(x, n.shape());
}

/// ln of a sum of exponentials: the largest one is taken out first, as FP16 holds none of more than 11.
const Node* exponentials_below(const Node& n) {
  const Node* sum = transforms::producer(n.input(0), "ReduceSum");
  if (!sum || !constant_of(sum->input(1)) || !transforms::has_one_user(n.input(0))) return nullptr;
  const Node* exp = transforms::producer(sum->input(0), "Exp");
  if (!exp || !transforms::has_one_user(sum->input(0))) return nullptr;
  const Node* less = transforms::producer(exp->input(0), "Subtract");
  const bool has_shift = less && transforms::producer(less->input(1), "ReduceMax");
  const Node* plus = transforms::producer(exp->input(0), "Add");  // a subtraction as the sum with the negated
  return has_shift || plus ? nullptr : exp;
}
bool is_log_of_exponentials(const Node& n) { return is_float(n.element_type()) && exponentials_below(n); }

Value log_of_exponentials(Rewriter& rw, const Node& n) {
  Terms t(rw);
  const Node& sum = *n.input(0).node;
  const Value x = exponentials_below(n)->input(0);
  const auto axes = transforms::normalized_axes(sum.input(1).node->constant.to_i64(), x.shape().size());
  const Value largest = t.reduce("ReduceMax", x, axes, true);
  const Value powers = t.make("Exp", {t.add(x, t.multiply(largest, -1))});
  const Value y = t.add(t.make("Log", {t.reduce("ReduceSum", powers, axes, true)}), largest);
  return t.reshape(y, n.shape());
}

/// The root of a sum of squares: of the parts of the largest one, whose mean is at most 1, so that no square and no sum
/// leaves FP16.
bool is_norm(const Node& n) {
  return is_float(n.element_type()) && constant_of(n.input(1)) && is_static(n.input(0).shape());
}
Value norm(Rewriter& rw, const Node& n) {
  Terms t(rw);
  constexpr double kLeast = 1.0 / 16384;
  const Value x = n.input(0);
  const auto axes = transforms::normalized_axes(n.input(1).node->constant.to_i64(), x.shape().size());
  double count = 1;
  for (const int64_t a : axes) count *= static_cast<double>(x.shape()[static_cast<size_t>(a)]);
  const Value largest = t.maximum(t.reduce("ReduceMax", t.magnitude(x), axes, true), kLeast);
  const Value parts = t.multiply(x, t.make("Power", {largest, t.number(largest, -1)}));
  const Value mean = t.reduce("ReduceMean", t.multiply(parts, parts), axes, true);
  const Value root = t.multiply(t.make("Power", {mean, t.number(mean, 0.5)}), std::sqrt(count));
  return t.reshape(t.multiply(root, largest), n.shape());
}

/// To a number without dimensions, which the compiler leaves in the four of the pool that computes it, so that what it
/// meets becomes a tensor of four.
bool is_to_one_number(const Node& n) {
  return n.shape().empty() && is_float(n.element_type()) && constant_of(n.input(1)) && is_static(n.input(0).shape()) &&
         !n.input(0).shape().empty();
}
Value to_one_number(Rewriter& rw, const Node& n) {
  Terms t(rw);
  std::vector<int64_t> axes;
  for (size_t i = 0; i < n.input(0).shape().size(); ++i) axes.push_back(static_cast<int64_t>(i));
  return t.reshape(t.reduce(n.type.c_str(), n.input(0), axes, true), {});
}

constexpr SpelledRow kRows[] = {
    {{"ReduceMean", "ReduceMax", "ReduceSum"},
     is_to_one_number,
     to_one_number,
     "the same with all dimensions, dropped"},
    {{"ReduceL2"}, is_norm, norm, "the norm of the parts of the largest number, times it"},
    {{"Log"}, is_log_of_exponentials, log_of_exponentials, "the largest exponential is taken out of the sum"},
    {{"CumSum"}, has_constant_axis, cumulative_sum, "a product by a triangle of ones, or sums of moved copies"},
    {{"ReduceProd"}, has_constant_axes, product, "products of halves"},
};

}  // namespace

std::span<const SpelledRow> sum_rows() { return kRows; }

}  // namespace blobsmith::legalise_rows
