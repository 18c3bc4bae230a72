#include "transforms/legalise/terms.hpp"

#include <algorithm>
#include <numeric>

#include "graph/ops/numbers.hpp"

namespace blobsmith::legalise_rows {

using transforms::attributes;

bool is_whole(ElementType t) { return is_integer(t) || t == ElementType::boolean; }

Value Terms::integers(ElementType type, Shape shape, const std::vector<int64_t>& v) {
  return rw_.constant(ops::store<int64_t>(type, shape, v));
}

Value Terms::filled(ElementType type, Shape shape, double v) { return rw_.filled(type, std::move(shape), v); }

Value Terms::convert(Value v, ElementType type) {
  if (v.type() == type) return v;
  return make("Convert", {v}, attributes({{"destination_type", std::string(to_string(type))}}));
}

Value Terms::quotient(Value a, Value b) { return make("Divide", {a, b}, attributes({{"m_pythondiv", false}})); }

Value Terms::floor_remainder(Value a, Value b) {
  const Value r = subtract(a, multiply(quotient(a, b), b));
  // Of another sign than the divisor: one divisor more. Signs are multiplied, as the numbers themselves may overflow.
  const auto sign = [&](Value v) { return maximum(minimum(v, 1), -1); };
  const Value zero = number(a, 0);
  if (const auto c = transforms::uniform_value(b); c && *c > 0)
    return add(r, multiply(as_integer(less(r, zero), a.type()), b));
  const Value wanted = sign(b);
  const Value differs = as_integer(less(multiply(sign(r), wanted), zero), a.type());
  return add(r, multiply(differs, b));
}

Value Terms::reduce(const char* type, Value x, std::vector<int64_t> axes, bool keep_dims) {
  const Value list = rw_.indices(std::move(axes));
  Attributes a = attributes({{"keep_dims", keep_dims}});
  if (is_whole(x.type())) a.set(kStaysReduction, true);
  return make(type, {x, list}, std::move(a));
}

Value Terms::slice(Value x, int64_t axis, int64_t from, int64_t to) {
  const size_t rank = x.shape().size(), at = static_cast<size_t>(axis);
  if (from == 0 && to == x.shape()[at]) return x;
  std::vector<int64_t> begin(rank, 0), end(rank, 0), strides(rank, 1), open(rank, 1), none(rank, 0);
  begin[at] = from;
  end[at] = to;
  open[at] = 0;
  const Value b = rw_.indices(begin), e = rw_.indices(end), s = rw_.indices(strides);
  return make("StridedSlice", {x, b, e, s},
              attributes({{"begin_mask", open},
                          {"end_mask", open},
                          {"new_axis_mask", none},
                          {"shrink_axis_mask", none},
                          {"ellipsis_mask", none}}));
}

Value Terms::slice(Value x, const std::vector<int64_t>& from, const std::vector<int64_t>& to,
                   const std::vector<int64_t>& step) {
  const std::vector<int64_t> none(x.shape().size(), 0);
  const Value b = rw_.indices(from), e = rw_.indices(to), s = rw_.indices(step);
  return make("StridedSlice", {x, b, e, s},
              attributes({{"begin_mask", none},
                          {"end_mask", none},
                          {"new_axis_mask", none},
                          {"shrink_axis_mask", none},
                          {"ellipsis_mask", none}}));
}

Value Terms::concat(std::vector<Value> parts, int64_t axis) {
  if (parts.size() == 1) return parts[0];
  return make("Concat", std::move(parts), attributes({{"axis", axis}}));
}

Value Terms::gather(Value x, const std::vector<int64_t>& indices, int64_t axis) {
  const Value at = integers(ElementType::i32, {static_cast<int64_t>(indices.size())}, indices), along = rw_.index(axis);
  return make("Gather", {x, at, along}, attributes({{"batch_dims", int64_t{0}}}));
}

Value Terms::reshape(Value x, Shape shape) {
  if (const Tensor* t = transforms::constant_of(x)) return rw_.constant({t->type, std::move(shape), t->bytes});
  return rw_.reshape(x, std::move(shape))->value();
}

Value Terms::zeros_around(Value x, std::vector<int64_t> begin, std::vector<int64_t> end) {
  const Value b = rw_.indices(std::move(begin)), e = rw_.indices(std::move(end));
  return make("Pad", {x, b, e, number(x, 0)}, transforms::attributes({{"pad_mode", "constant"}}));
}
Value Terms::transpose(Value x, std::vector<int64_t> order) {
  if (std::ranges::is_sorted(order)) return x;
  return rw_.transpose(x, std::move(order))->value();
}

std::vector<int64_t> order_with_last(size_t rank, int64_t axis) {
  std::vector<int64_t> order(rank);
  std::iota(order.begin(), order.end(), 0);
  order.erase(order.begin() + axis);
  order.push_back(axis);
  return order;
}

std::vector<int64_t> inverse_order(const std::vector<int64_t>& order) {
  std::vector<int64_t> back(order.size());
  for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return back;
}

}  // namespace blobsmith::legalise_rows
