// Operators that cut a tensor up, or pad it.
#include <algorithm>

#include "importers/onnx/operators.hpp"

namespace blobsmith::onnx_import {
namespace mo {
namespace {

/// Slice as StridedSlice over all axes; axes that are not cut are masked out.
std::vector<Value> slice(Context& c) {
  const bool by_inputs = c.opset() >= 10;
  const std::vector<int64_t> starts = by_inputs ? c.constant_integers(1, "list of starts") : c.integers("starts");
  const std::vector<int64_t> ends = by_inputs ? c.constant_integers(2, "list of ends") : c.integers("ends");
  std::vector<int64_t> axes = !by_inputs       ? c.integers("axes")
                              : c.has_input(3) ? c.constant_integers(3, "list of axes")
                                               : std::vector<int64_t>{};
  std::vector<int64_t> steps =
      by_inputs && c.has_input(4) ? c.constant_integers(4, "list of steps") : std::vector<int64_t>(starts.size(), 1);
  for (size_t i = 0; axes.size() < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    c.refuse("starts, ends, axes and steps differ in number");
  const auto rank = static_cast<size_t>(c.rank());
  std::vector<int64_t> begin(rank, 0), end(rank, 0), stride(rank, 1), mask(rank, 1);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<size_t>(c.axis(axes[i], c.rank()));
    if (steps[i] == 0) c.refuse("a step is 0");
    begin[a] = starts[i];
    end[a] = ends[i];
    stride[a] = steps[i];
    mask[a] = 0;
  }
  const std::vector<int64_t> none(rank, 0);
  const Attributes a = attributes({{"begin_mask", mask},
                                   {"end_mask", mask},
                                   {"new_axis_mask", none},
                                   {"shrink_axis_mask", none},
                                   {"ellipsis_mask", none}});
  // quirk: Model Optimizer numbers the constant of the ends before that of the begins.
  return {c.make("StridedSlice",
                 {c.input(0), c.integers_constant(begin, "/Concat2"), c.integers_constant(end, "/Concat1"),
                  c.integers_constant(stride, "/Strides")},
                 a)};
}

/// Pads of chosen axes (opset 18) as pads of all.
std::vector<int64_t> pads_of_axes(Context& c, const std::vector<int64_t>& pads) {
  const std::vector<int64_t> axes = c.constant_integers(3, "list of axes");
  if (pads.size() != 2 * axes.size())
    c.refuse("it has " + std::to_string(pads.size()) + " pads for " + std::to_string(axes.size()) + " axes");
  const auto rank = static_cast<size_t>(c.rank());
  std::vector<int64_t> all(2 * rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<size_t>(c.axis(axes[i], c.rank()));
    all[a] = pads[i];
    all[rank + a] = pads[axes.size() + i];
  }
  return all;
}

std::vector<Value> pad(Context& c) {
  const std::string mode = c.text("mode", "constant");
  std::vector<int64_t> pads = c.opset() >= 11 ? c.constant_integers(1, "list of pads") : c.integers("pads");
  const auto rank = static_cast<size_t>(c.rank());
  if (c.has_input(3)) pads = pads_of_axes(c, pads);
  if (pads.size() != 2 * rank)
    c.refuse("it has " + std::to_string(pads.size()) + " pads for " + std::to_string(rank) + " axes");
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  std::vector<Value> inputs{c.input(0), c.integers_constant({pads.begin(), middle}),
                            c.integers_constant({middle, pads.end()})};
  if (mode == "constant") {
    const bool is_given = c.opset() >= 11 && c.has_input(2);
    const Tensor* known = is_given ? c.constant(2) : nullptr;
    // Quantized numbers are real ones here, their zero points integers.
    const bool is_other = known && known->type != c.input(0).type() && is_float(c.input(0).type());
    if (is_other && byte_width(known->type) != 1) c.refuse("its value is of another type than what it pads");
    if (is_other)
      inputs.push_back(c.number_constant(c.input(0).type(), {}, static_cast<double>(known->to_f32().at(0))));
    else if (is_given)
      inputs.push_back(c.scalar(c.input(2)));
    else
      inputs.push_back(c.number_constant(c.input(0).type(), {}, c.opset() >= 11 ? 0 : c.real("value", 0)));
  }
  return {c.make("Pad", inputs, attributes({{"pad_mode", mode}}))};
}

}  // namespace
}  // namespace mo

namespace ie {
namespace {

constexpr int64_t kLargestAxis = 32;

/// The value at each axis: of `list` for the axes that it is about, else `fallback`.
Value spread(Context& c, Value list, const std::vector<int64_t>& axes, int64_t length, int64_t fallback) {
  const ElementType type = list.type();
  const Value zero = c.filled(type, {}, 0);
  std::vector<Value> parts(static_cast<size_t>(length));
  for (int64_t i = 0; i < length; ++i)
    if (std::ranges::find(axes, i) == axes.end())
      parts[static_cast<size_t>(i)] = c.filled(type, {1}, static_cast<double>(fallback));
  for (size_t k = 0; k < axes.size(); ++k) {
    const Value index = c.filled(type, {1}, static_cast<double>(k));
    parts[static_cast<size_t>(axes[k])] = c.gather(list, index, zero);
  }
  return c.concat(std::move(parts), 0);
}

/// quirk: lists that are long enough are taken as they stand, whatever axes they are about.
Value for_all_axes(Context& c, Value list, const std::vector<int64_t>& axes, int64_t length, int64_t fallback) {
  const Shape& shape = list.shape();
  if (shape.size() == 1 && shape[0] >= length && std::ranges::is_sorted(axes)) return list;
  return spread(c, list, axes, length, fallback);
}

std::vector<Value> strided_slice(Context& c, Value x, Value begin, Value end, std::optional<Value> step,
                                 std::vector<int64_t> axes) {
  if (axes.empty()) c.refuse("it slices no axis");
  const int64_t largest = *std::ranges::max_element(axes);
  if (*std::ranges::min_element(axes) < 0 || largest >= kLargestAxis) c.refuse("its axes are out of range");
  const int64_t length = largest + 1;
  std::vector<int64_t> mask(static_cast<size_t>(length), 1);
  for (int64_t a : axes) mask[static_cast<size_t>(a)] = 0;
  const Value steps = step ? *step : c.list_i64(std::vector<int64_t>(static_cast<size_t>(length), 1));
  const Value begins = for_all_axes(c, begin, axes, length, 0), ends = for_all_axes(c, end, axes, length, 0);
  const Value strides = for_all_axes(c, steps, axes, length, 1);
  return {c.make("StridedSlice", {x, begins, ends, strides}, attributes({{"begin_mask", mask}, {"end_mask", mask}}))};
}

/// Slice-8: the axes are an input, and all of them where there is none.
std::vector<Value> slice_by_axes(Context& c, Value x, Value begin, Value end, Value step, std::optional<Value> axes) {
  std::vector<Value> inputs{x, begin, end, step};
  if (axes) inputs.push_back(*axes);
  return {c.make("Slice", std::move(inputs), {}, 8)};
}

std::vector<Value> slice_10(Context& c) {
  const Value x = c.input(0), begin = c.input(1), end = c.input(2);
  if (c.release().slices_by_axes) {
    const auto step = [&] {
      if (c.has_input(4)) return c.input(4);
      const Value one = c.filled(begin.type(), {1}, 1);
      return c.make("Broadcast", {one, c.shape_of(begin)}, attributes({{"mode", std::string("numpy")}}), 3);
    };
    return slice_by_axes(c, x, begin, end, step(), c.has_input(3) ? std::optional(c.input(3)) : std::nullopt);
  }
  std::vector<int64_t> axes;
  if (!c.has_input(3)) {
    axes = axes_from(0, begin.shape().size() == 1 ? std::max<int64_t>(begin.shape()[0], 0) : 0);
    c.skip_ids(1);
  } else {
    axes = c.integers_of(c.input(3), "Axes input must be constant");
    for (int64_t& a : axes) a = c.axis(a, c.rank(x));
  }
  std::optional<Value> step;
  if (c.has_input(4)) step = c.input(4);
  return strided_slice(c, x, begin, end, step, std::move(axes));
}

std::vector<Value> slice_1(Context& c) {
  const Value x = c.input(0);
  const Value begin = c.list_i64(c.integers("starts")), end = c.list_i64(c.integers("ends"));
  if (c.release().slices_by_axes) {
    const Value step = c.list_i64(std::vector<int64_t>(c.integers("starts").size(), 1));
    const std::vector<int64_t> axes = c.integers("axes");
    return slice_by_axes(c, x, begin, end, step, axes.empty() ? std::nullopt : std::optional(c.list_i64(axes)));
  }
  std::vector<int64_t> axes = c.integers("axes", axes_from(0, begin.shape()[0]));
  for (int64_t& a : axes) a = c.axis(a, c.rank(x));
  return strided_slice(c, x, begin, end, std::nullopt, std::move(axes));
}

std::string mode_of_pad(const Context& c) {
  const std::string mode = c.text("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge") c.refuse("Unsupported padding mode: [" + mode + "]");
  return mode;
}

std::vector<Value> pad_with(Context& c, Value x, std::vector<int64_t> pads, Value value, bool end_first) {
  if (pads.size() % 2 != 0) c.refuse("its list of pads has an odd length");
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(pads.size() / 2);
  const std::vector<int64_t> before(pads.begin(), middle), after(middle, pads.end());
  if (end_first) {
    const Value end = c.list_i64(after), begin = c.list_i64(before);
    return {c.make("Pad", {x, begin, end, value}, attributes({{"pad_mode", mode_of_pad(c)}}))};
  }
  const Value begin = c.list_i64(before), end = c.list_i64(after);
  return {c.make("Pad", {x, begin, end, value}, attributes({{"pad_mode", mode_of_pad(c)}}))};
}

std::vector<Value> pad_1(Context& c) {
  const Value x = c.input(0);
  const Value value = c.filled(x.type(), {}, c.real("value", 0));
  return pad_with(c, x, c.integers("pads", std::vector<int64_t>(2 * x.shape().size(), 0)), value, true);
}

std::vector<Value> pad_11(Context& c) {
  const Value x = c.input(0), pads = c.input(1);
  const Value value = c.has_input(2) ? c.input(2) : c.filled(x.type(), {}, 0);
  if (const Tensor* constant = transforms::constant_of(pads)) return pad_with(c, x, constant->to_i64(), value, false);
  const std::vector<Value> halves = c.split(pads, 2, 0);
  return {c.make("Pad", {x, halves.at(0), halves.at(1), value}, attributes({{"pad_mode", mode_of_pad(c)}}))};
}

}  // namespace
}  // namespace ie

namespace {

// name, since, becomes, as Model Optimizer (convert), as Inference Engine (compile)
constexpr OperatorRow kOperators[] = {
    {"Slice", 1, "StridedSlice", mo::slice, ie::slice_1},
    {"Slice", 10, "StridedSlice", mo::slice, ie::slice_10},
    {"Pad", 1, "Pad", mo::pad, ie::pad_1},
    {"Pad", 11, "Pad", mo::pad, ie::pad_11},
};

}  // namespace

std::span<const OperatorRow> slice_operators() { return kOperators; }

}  // namespace blobsmith::onnx_import
