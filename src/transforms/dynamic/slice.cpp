// Real shapes of slices of tensors of unknown shape (front-end spec §5.7).
#include <algorithm>

#include "transforms/dynamic/shapes.hpp"

namespace blobsmith::transforms::dynamic {
namespace {

bool masked(const Node& n, std::string_view mask, size_t axis) {
  const auto& list = n.attrs.integers(mask);
  return axis < list.size() && list[axis] == 1;
}

void require_zeros(const Node& n, std::string_view mask) {
  const auto& list = n.attrs.integers(mask);
  if (std::ranges::any_of(list, [](int64_t v) { return v != 0; }))
    refuse(n, "is not applicable, " + std::string(mask) + " expected to be zeros");
}

/// The length of one axis. The order in which nodes are made is the reference's: arguments of a call from the last to
/// the first.
class SlicedAxis {
 public:
  SlicedAxis(Rewriter& rw, const Node& n, Value shape, size_t axis)
      : rw_(rw), n_(n), type_(shape.type()), shape_(shape), axis_(axis) {}

  Value length(int64_t begin, int64_t end, int64_t step) {
    Value lower = one(begin), upper = one(end);
    const Value front = scalar(0), at = one(static_cast<int64_t>(axis_));
    const Value dim = rw_.make("Gather", {shape_, at, front}, {}, 1)->value();
    const Value minus_one = one(-1), last = add(dim, minus_one);
    if (begin < 0) lower = counted_from_back(lower, dim);
    if (end < 0) upper = counted_from_back(upper, dim);
    lower = make("Minimum", dim, lower);
    upper = make("Minimum", dim, upper);
    const Value nothing = one(0);
    const bool open_begin = masked(n_, "begin_mask", axis_), open_end = masked(n_, "end_mask", axis_);
    if (step < 0) {
      if (open_begin) lower = last;
      if (open_end) upper = one(-1);
      lower = make("Minimum", lower, last);
      const Value before = one(-1);
      lower = add(lower, before);
      return steps(lower, upper, step, nothing, "LessEqual");
    }
    if (open_begin) lower = one(0);
    if (open_end) upper = dim;
    const Value behind = one(1);
    lower = add(lower, behind);
    return steps(lower, upper, step, nothing, "GreaterEqual");
  }

 private:
  Value one(int64_t v) { return integers(rw_, type_, {v}); }
  Value scalar(int64_t v) { return rw_.filled(type_, {}, static_cast<double>(v)); }
  Value make(const char* type, Value a, Value b) { return rw_.make(type, {a, b})->value(); }
  Value add(Value a, Value b) { return make("Add", a, b); }

  Value counted_from_back(Value bound, Value dim) {
    const Value zero = one(0), sum = add(bound, dim);
    return make("Maximum", sum, zero);
  }

  // (upper - lower) / step + 1 where there is anything, else `nothing`.
  Value steps(Value lower, Value upper, int64_t step, Value nothing, const char* comparison) {
    const Value first = one(1), by = one(step), distance = make("Subtract", upper, lower),
                whole = make("Divide", distance, by), count = add(whole, first);
    const Value any = make(comparison, upper, lower);
    return rw_.make("Select", {any, count, nothing})->value();
  }

  Rewriter& rw_;
  const Node& n_;
  ElementType type_;
  Value shape_;
  size_t axis_;
};

}  // namespace

void strided_slice(Rewriter& rw, Node* n) {
  const Value shape = shape_of(n->input(0));
  if (!shape) refuse(*n, "expects DynamicShapeResolver ver. 0 as input with index 0");
  require_zeros(*n, "new_axis_mask");
  require_zeros(*n, "ellipsis_mask");
  const std::vector<int64_t> begin = constant_integers(*n, 1), end = constant_integers(*n, 2),
                             strides = constant_integers(*n, 3);
  if (begin.size() != end.size() || begin.size() != strides.size())
    refuse(*n, "has begin, end and strides of different sizes");
  const size_t rank = n->input(0).shape().size();
  if (begin.size() > rank) refuse(*n, "has an input rank less than begin/end/strides size");
  std::vector<Value> dims;
  for (size_t axis = 0; axis < begin.size(); ++axis)
    if (!masked(*n, "shrink_axis_mask", axis))
      dims.push_back(SlicedAxis(rw, *n, shape, axis).length(begin[axis], end[axis], strides[axis]));
  if (begin.size() < rank)
    dims.push_back(part(rw, shape, static_cast<int64_t>(begin.size()), static_cast<int64_t>(rank - begin.size())));
  resolve_copy(rw, n, joined(rw, dims));
}

}  // namespace blobsmith::transforms::dynamic
