// Slices and borders.
#include <algorithm>

#include "importers/onnx_native/recipe.hpp"

namespace blobsmith::onnx_native {
namespace {

constexpr int64_t kLargestAxis = 32;

/// The value at each axis: of `list` for the axes that it is about, else `fallback`.
Value spread(Recipe& r, Value list, const std::vector<int64_t>& axes, int64_t length, int64_t fallback) {
  const ElementType type = list.type();
  const Value zero = r.filled(type, {}, 0);
  std::vector<Value> parts(static_cast<size_t>(length));
  for (int64_t i = 0; i < length; ++i)
    if (std::ranges::find(axes, i) == axes.end())
      parts[static_cast<size_t>(i)] = r.filled(type, {1}, static_cast<double>(fallback));
  for (size_t k = 0; k < axes.size(); ++k) {
    const Value index = r.filled(type, {1}, static_cast<double>(k));
    parts[static_cast<size_t>(axes[k])] = r.gather(list, index, zero);
  }
  return r.concat(std::move(parts), 0);
}

/// quirk: lists that are long enough are taken as they stand, whatever axes they are about.
Value for_all_axes(Recipe& r, Value list, const std::vector<int64_t>& axes, int64_t length, int64_t fallback) {
  const Shape& shape = list.shape();
  if (shape.size() == 1 && shape[0] >= length && std::ranges::is_sorted(axes)) return list;
  return spread(r, list, axes, length, fallback);
}

std::vector<Value> strided_slice(Recipe& r, Value x, Value begin, Value end, std::optional<Value> step,
                                 std::vector<int64_t> axes) {
  if (axes.empty()) r.refuse("it slices no axis");
  const int64_t largest = *std::ranges::max_element(axes);
  if (*std::ranges::min_element(axes) < 0 || largest >= kLargestAxis) r.refuse("its axes are out of range");
  const int64_t length = largest + 1;
  std::vector<int64_t> mask(static_cast<size_t>(length), 1);
  for (int64_t a : axes) mask[static_cast<size_t>(a)] = 0;
  const Value steps = step ? *step : r.list_i64(std::vector<int64_t>(static_cast<size_t>(length), 1));
  const Value begins = for_all_axes(r, begin, axes, length, 0), ends = for_all_axes(r, end, axes, length, 0);
  const Value strides = for_all_axes(r, steps, axes, length, 1);
  return {r.make("StridedSlice", {x, begins, ends, strides}, attributes({{"begin_mask", mask}, {"end_mask", mask}}))};
}

std::vector<Value> slice_10(Recipe& r) {
  const Value x = r.input(0), begin = r.input(1), end = r.input(2);
  std::vector<int64_t> axes;
  if (!r.has_input(3)) {
    axes = axes_from(0, begin.shape().size() == 1 ? std::max<int64_t>(begin.shape()[0], 0) : 0);
    r.skip_ids(1);
  } else {
    axes = r.integers_of(r.input(3), "Axes input must be constant");
    for (int64_t& a : axes) a = r.axis(a, r.rank(x));
  }
  std::optional<Value> step;
  if (r.has_input(4)) step = r.input(4);
  return strided_slice(r, x, begin, end, step, std::move(axes));
}

std::vector<Value> slice_1(Recipe& r) {
  const Value x = r.input(0);
  const Value begin = r.list_i64(r.integers("starts")), end = r.list_i64(r.integers("ends"));
  std::vector<int64_t> axes = r.integers("axes", axes_from(0, begin.shape()[0]));
  for (int64_t& a : axes) a = r.axis(a, r.rank(x));
  return strided_slice(r, x, begin, end, std::nullopt, std::move(axes));
}

std::string pad_mode(const Recipe& r) {
  const std::string mode = r.text("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge") r.refuse("Unsupported padding mode: [" + mode + "]");
  return mode;
}

std::vector<Value> pad_with(Recipe& r, Value x, std::vector<int64_t> pads, Value value, bool end_first) {
  if (pads.size() % 2 != 0) r.refuse("its list of pads has an odd length");
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(pads.size() / 2);
  const std::vector<int64_t> before(pads.begin(), middle), after(middle, pads.end());
  if (end_first) {
    const Value end = r.list_i64(after), begin = r.list_i64(before);
    return {r.make("Pad", {x, begin, end, value}, attributes({{"pad_mode", pad_mode(r)}}))};
  }
  const Value begin = r.list_i64(before), end = r.list_i64(after);
  return {r.make("Pad", {x, begin, end, value}, attributes({{"pad_mode", pad_mode(r)}}))};
}

std::vector<Value> pad_1(Recipe& r) {
  const Value x = r.input(0);
  const Value value = r.filled(x.type(), {}, static_cast<double>(r.real("value", 0)));
  return pad_with(r, x, r.integers("pads", std::vector<int64_t>(2 * x.shape().size(), 0)), value, true);
}

std::vector<Value> pad_11(Recipe& r) {
  const Value x = r.input(0), pads = r.input(1);
  const Value value = r.has_input(2) ? r.input(2) : r.filled(x.type(), {}, 0);
  if (const Tensor* constant = transforms::constant_of(pads)) return pad_with(r, x, constant->to_i64(), value, false);
  const std::vector<Value> halves = r.split(pads, 2, 0);
  return {r.make("Pad", {x, halves.at(0), halves.at(1), value}, attributes({{"pad_mode", pad_mode(r)}}))};
}

constexpr Row kRows[] = {{"Slice", 1, slice_1}, {"Slice", 10, slice_10}, {"Pad", 1, pad_1}, {"Pad", 11, pad_11}};

}  // namespace

std::span<const Row> slice_recipes() { return kRows; }

}  // namespace blobsmith::onnx_native
