// Cutting and padding: StridedSlice, Pad (front-end spec §15.1).
#include <algorithm>
#include <cstring>

#include "graph/ops/op.hpp"
#include "graph/ops/shape_math.hpp"
#include "graph/ops/slice_plan.hpp"
#include "graph/ops/strided.hpp"

namespace blobsmith::ops {

bool masked(const Attributes& attrs, std::string_view mask, size_t i) {
  const auto* value = attrs.find(mask);
  const auto* list = value ? std::get_if<std::vector<int64_t>>(value) : nullptr;
  return list && i < list->size() && (*list)[i] != 0;
}

std::vector<int64_t> begins_as_masked(const Attributes& attrs, std::vector<int64_t> begin,
                                      const std::vector<int64_t>& strides) {
  for (size_t i = 0; i < begin.size(); ++i)
    if (masked(attrs, "begin_mask", i) && masked(attrs, "shrink_axis_mask", i) && !masked(attrs, "new_axis_mask", i) &&
        !masked(attrs, "ellipsis_mask", i))
      begin[i] = i < strides.size() && strides[i] < 0 ? -1 : 0;
  return begin;
}

namespace {
// One axis [begin, end) by step, with negative indices counted from the back and everything cut to the axis.
SliceAxis slice_axis(int64_t size, int64_t begin, int64_t end, int64_t step, bool open_begin, bool open_end) {
  const int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? size : size - 1;
  const auto clamp = [&](int64_t v) { return std::clamp(v < 0 ? v + size : v, lowest, highest); };
  const int64_t from = open_begin ? (step > 0 ? 0 : size - 1) : clamp(std::max(begin, -size - 1));
  const int64_t to = open_end ? (step > 0 ? size : -1) : clamp(std::max(end, -size - 1));
  const int64_t count =
      step > 0 ? div_up(std::max<int64_t>(to - from, 0), step) : div_up(std::max<int64_t>(from - to, 0), -step);
  return {from, step, count};
}
}  // namespace

std::optional<SlicePlan> plan_slice(const Attributes& attrs, const Shape& data, const std::vector<int64_t>& begin,
                                    const std::vector<int64_t>& end, const std::vector<int64_t>& strides) {
  SlicePlan plan;
  const size_t entries = std::max(begin.size(), end.size());
  size_t new_axes = 0, ellipses = 0;
  for (size_t i = 0; i < entries; ++i) {
    if (masked(attrs, "ellipsis_mask", i))
      ++ellipses;
    else if (masked(attrs, "new_axis_mask", i))
      ++new_axes;
  }
  if (ellipses > 1 || entries - new_axes - ellipses > data.size()) return std::nullopt;
  const auto take_whole = [&](size_t axis) {
    plan.axes.push_back({0, 1, data[axis]});
    plan.output.push_back(data[axis]);
  };
  for (size_t i = 0; i < entries; ++i) {
    const size_t axis = plan.axes.size();
    if (masked(attrs, "ellipsis_mask", i)) {
      const size_t hidden = data.size() - (entries - new_axes - 1);
      for (size_t k = 0; k < hidden; ++k) take_whole(axis + k);
    } else if (masked(attrs, "new_axis_mask", i)) {
      plan.output.push_back(1);
    } else if (axis >= data.size()) {
      return std::nullopt;
    } else if (masked(attrs, "shrink_axis_mask", i)) {
      if (i >= begin.size()) return std::nullopt;
      // quirk: begin counts here even where begin_mask says that it doesn't.
      const int64_t at = begin[i] < 0 && data[axis] != kDynamic ? begin[i] + data[axis] : begin[i];
      if (data[axis] != kDynamic && (at < 0 || at >= data[axis])) return std::nullopt;
      plan.axes.push_back({at, 1, 1});
    } else if (data[axis] == kDynamic) {
      plan.axes.push_back({0, 1, kDynamic});
      plan.output.push_back(kDynamic);
    } else {
      const bool open_begin = i >= begin.size() || masked(attrs, "begin_mask", i),
                 open_end = i >= end.size() || masked(attrs, "end_mask", i);
      const int64_t step = i < strides.size() ? strides[i] : 1;
      if (step == 0) return std::nullopt;
      plan.axes.push_back(
          slice_axis(data[axis], open_begin ? 0 : begin[i], open_end ? 0 : end[i], step, open_begin, open_end));
      plan.output.push_back(plan.axes.back().count);
    }
  }
  while (plan.axes.size() < data.size()) take_whole(plan.axes.size());
  return plan;
}

namespace {

using enum AttributeKind;
constexpr AttributeSpec kStridedSlice[] = {{"begin_mask", Integers, ""},
                                           {"end_mask", Integers, ""},
                                           {"new_axis_mask", Integers, ""},
                                           {"shrink_axis_mask", Integers, ""},
                                           {"ellipsis_mask", Integers, ""}};
constexpr AttributeSpec kPad[] = {{"pad_mode", Choice, kMandatory, "constant|edge|reflect|symmetric"}};

// Indices such as the largest int64 mean "up to the end"; cut to what arithmetic on dimensions can hold.
std::vector<int64_t> bounded(std::vector<int64_t> list) {
  for (int64_t& v : list) v = std::clamp<int64_t>(v, -(int64_t{1} << 40), int64_t{1} << 40);
  return list;
}

// Masks may be left out; those that are there have one size.
void check_masks(const Inference& in) {
  size_t size = 0;
  for (std::string_view mask : {"begin_mask", "end_mask", "new_axis_mask", "shrink_axis_mask", "ellipsis_mask"}) {
    const size_t other = in.attrs().integers(mask).size();
    if (other != 0 && size != 0 && other != size) in.fail("All masks of StridedSlice must have the same size");
    size = std::max(size, other);
  }
}

void infer_strided_slice(Inference& in) {
  check_masks(in);
  const auto begin = in.values(1), end = in.values(2);
  const auto strides = in.input_count() > 3 ? in.values(3) : std::vector<int64_t>();
  if (!begin || !end || !strides) {
    for (std::string_view mask : {"new_axis_mask", "shrink_axis_mask", "ellipsis_mask"})
      if (std::ranges::count(in.attrs().integers(mask), 0) != static_cast<int64_t>(in.attrs().integers(mask).size()))
        in.fail("Its begin, end or strides are not constants");
    return in.output(in.type(), Shape(in.shape().size(), kDynamic));
  }
  const auto plan = plan_slice(in.attrs(), in.shape(), bounded(*begin), bounded(*end), bounded(*strides));
  if (!plan) in.fail("Its begin, end, strides and masks don't fit the data's shape " + to_string(in.shape()));
  in.output(in.type(), plan->output);
}

std::vector<Tensor> cut_out(const Node& n, const Tensor& data, const SlicePlan& plan) {
  const std::vector<int64_t> dense = dense_strides(data.shape);
  Shape cut;
  std::vector<int64_t> strides;
  int64_t offset = 0;
  for (size_t i = 0; i < plan.axes.size(); ++i) {
    const SliceAxis& a = plan.axes[i];
    cut.push_back(a.count);
    strides.push_back(dense[i] * a.step);
    offset += a.begin * dense[i];
  }
  if (element_count(cut) != element_count(n.shape())) return {};
  Tensor out = gather_strided(data, cut, offset, strides);
  out.shape = n.shape();
  return {std::move(out)};
}

std::vector<Tensor> evaluate_strided_slice(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Tensor& data = *inputs[0];
  const auto plan = plan_slice(n.attrs, data.shape, bounded(inputs[1]->to_i64()), bounded(inputs[2]->to_i64()),
                               inputs.size() > 3 ? bounded(inputs[3]->to_i64()) : std::vector<int64_t>());
  if (!plan) return {};
  return cut_out(n, data, *plan);
}

// ---- Slice: a StridedSlice that names its axes ----

std::optional<SlicePlan> plan_slice_by_axes(const Shape& data, const std::vector<int64_t>& begin,
                                            const std::vector<int64_t>& end, const std::vector<int64_t>& step,
                                            std::vector<int64_t> axes, bool all_axes) {
  if (all_axes)
    for (size_t i = 0; i < begin.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  if (end.size() != begin.size() || step.size() != begin.size() || axes.size() != begin.size()) return std::nullopt;
  SlicePlan plan;
  for (int64_t d : data) plan.axes.push_back({0, 1, d});
  plan.output = data;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t a = axes[i] < 0 ? axes[i] + static_cast<int64_t>(data.size()) : axes[i];
    if (a < 0 || a >= static_cast<int64_t>(data.size()) || step[i] == 0) return std::nullopt;
    const auto at = static_cast<size_t>(a);
    if (data[at] == kDynamic) continue;
    plan.axes[at] = slice_axis(data[at], begin[i], end[i], step[i], false, false);
    plan.output[at] = plan.axes[at].count;
  }
  return plan;
}

void infer_slice(Inference& in) {
  const auto begin = in.values(1), end = in.values(2), step = in.values(3);
  const bool all_axes = in.input_count() < 5;
  const auto axes = all_axes ? std::vector<int64_t>() : in.values(4);
  if (!begin || !end || !step || !axes) return in.output(in.type(), Shape(in.shape().size(), kDynamic));
  const auto plan =
      plan_slice_by_axes(in.shape(), bounded(*begin), bounded(*end), bounded(*step), bounded(*axes), all_axes);
  if (!plan) in.fail("Its begin, end, steps and axes don't fit the data's shape " + to_string(in.shape()));
  in.output(in.type(), plan->output);
}

std::vector<Tensor> evaluate_slice(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const bool all_axes = inputs.size() < 5;
  const auto plan = plan_slice_by_axes(inputs[0]->shape, bounded(inputs[1]->to_i64()), bounded(inputs[2]->to_i64()),
                                       bounded(inputs[3]->to_i64()),
                                       all_axes ? std::vector<int64_t>() : bounded(inputs[4]->to_i64()), all_axes);
  if (!plan) return {};
  return cut_out(n, *inputs[0], *plan);
}

// ---- Pad ----

void infer_pad(Inference& in) {
  const auto begin = in.values(1), end = in.values(2);
  if (in.input_count() > 3 && in.type(3) != in.type(0))
    in.fail_type("Argument element types do not match (input arg element type and pad value's)");
  if (!begin || !end) return in.output(in.type(), Shape(in.shape().size(), kDynamic));
  if (begin->size() != in.shape().size() || end->size() != in.shape().size())
    in.fail("Number of elements of pads_begin and pads_end must match the data's rank");
  const std::string& mode = in.attrs().text("pad_mode");
  Shape out;
  for (size_t i = 0; i < begin->size(); ++i) {
    const int64_t b = bounded(*begin)[i], e = bounded(*end)[i], d = in.shape()[i];
    if (d != kDynamic && mode == "edge" && d < 1)
      in.fail("EDGE padding mode requires an input of dimension of at least 1 at each spatial axis");
    if (d != kDynamic && mode == "reflect" && i > 1 && d < 2)
      in.fail("REFLECT padding mode requires an input of dimension of at least 2 at each spatial axis.");
    if (d != kDynamic && mode == "reflect" && (b >= d || e >= d))
      in.fail("REFLECT padding mode requires pads smaller than the axis");
    if (d != kDynamic && mode == "symmetric" && (b > d || e > d))
      in.fail("SYMMETRIC padding mode requires pads not larger than the axis");
    out.push_back(d == kDynamic ? kDynamic : d + b + e);
    in.require(out.back() >= 0 || d == kDynamic, "Inferred result dimension is negative after padding");
  }
  in.output(in.type(), std::move(out));
}

// Where element i of a padded axis comes from; -1 for the pad value.
int64_t pad_source(const std::string& mode, int64_t i, int64_t begin, int64_t size) {
  int64_t at = i - begin;
  if (at >= 0 && at < size) return at;
  if (mode == "constant") return -1;
  if (mode == "edge") return at < 0 ? 0 : size - 1;
  const int64_t skip = mode == "reflect" ? 0 : 1;
  if (at < 0) at = -at - skip;
  return at < size ? at : 2 * (size - 1) - at + skip;
}

std::vector<Tensor> evaluate_pad(const Node& n, Tensors inputs) {
  if (!is_byte_sized(n.element_type())) return {};
  const Tensor& data = *inputs[0];
  const std::vector<int64_t> begin = inputs[1]->to_i64(), dense = dense_strides(data.shape),
                             out_strides = dense_strides(n.shape());
  const std::string& mode = n.attrs.text("pad_mode");
  TensorBuilder out(n.element_type(), n.shape());
  const size_t size = out.element_size();
  for_each_position(n.shape(), 0, out_strides, [&](int64_t i, int64_t) {
    int64_t from = 0, rest = i;
    for (size_t axis = 0; axis < dense.size() && from >= 0; ++axis) {
      const int64_t at = pad_source(mode, rest / out_strides[axis], begin[axis], data.shape[axis]);
      rest %= out_strides[axis];
      from = at < 0 ? -1 : from + at * dense[axis];
    }
    if (from >= 0)
      std::memcpy(out.at(i), data.bytes.data() + static_cast<size_t>(from) * size, size);
    else if (inputs.size() > 3)
      std::memcpy(out.at(i), inputs[3]->bytes.data(), size);
  });
  return {out.take()};
}

constexpr OpRow kOps[] = {
    {"StridedSlice", 0, {1, 7}, 3, 4, kStridedSlice, infer_strided_slice, evaluate_strided_slice},
    {"Slice", 8, {}, 4, 5, {}, infer_slice, evaluate_slice},
    {"Pad", 0, {1, 7}, 3, 4, kPad, infer_pad, evaluate_pad},
};

}  // namespace

std::span<const OpRow> slice_ops() { return kOps; }

}  // namespace blobsmith::ops
