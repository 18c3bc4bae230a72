// Pools that the VPU has no stage for: windows with gaps (dilations), and the positions of maxima. Every place of the
// window is a slice of the padded input; the slices are joined one by one.
#include "importers/onnx/ops/spelled_pools.hpp"

#include <algorithm>

#include "importers/onnx/mo_steps.hpp"

namespace blobsmith::onnx_import::mo {
namespace {

constexpr int64_t kMostPlaces = 1024;
constexpr double kLowest = -65504;  ///< of FP16

struct PoolAxis {
  int64_t size, kernel, stride, dilation, before, after, out;
  int64_t extent() const { return (kernel - 1) * dilation + 1; }
};

PoolAxis pool_axis(Context& c, const WindowAttributes& w, const std::vector<int64_t>& kernel, size_t i, bool ceil) {
  PoolAxis a{c.input(0).shape().at(i + 2), kernel[i], w.strides[i], w.dilations[i], w.pads_begin[i], w.pads_end[i], 0};
  if (a.kernel < 1 || a.stride < 1 || a.dilation < 1) c.refuse("its window is " + to_string(kernel));
  if (w.auto_pad == "valid") a.before = a.after = 0;
  if (w.auto_pad == "same_upper" || w.auto_pad == "same_lower") {
    const int64_t out = (a.size + a.stride - 1) / a.stride;
    const int64_t all = std::max<int64_t>(0, (out - 1) * a.stride + a.extent() - a.size);
    a.before = w.auto_pad == "same_upper" ? all / 2 : all - all / 2;
    a.after = all - a.before;
  }
  const int64_t range = a.size + a.before + a.after - a.extent();
  if (range < 0) c.refuse("its window is larger than its input");
  a.out = (range + (ceil ? a.stride - 1 : 0)) / a.stride + 1;
  if (ceil && (a.out - 1) * a.stride >= a.size + a.before) --a.out;  // it would begin behind the input
  return a;
}

/// The part of the padded input that lies under one place of the window.
Value under(Steps& s, Value padded, const std::vector<PoolAxis>& axes, const std::vector<int64_t>& place) {
  const size_t rank = padded.shape().size();
  std::vector<int64_t> begin(rank, 0), end(rank, 0), stride(rank, 1), mask(rank, 1), none(rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    begin[i + 2] = place[i] * axes[i].dilation;
    end[i + 2] = begin[i + 2] + (axes[i].out - 1) * axes[i].stride + 1;
    stride[i + 2] = axes[i].stride;
    mask[i + 2] = 0;
  }
  return s.make("StridedSlice", {padded, s.indices(begin), s.indices(end), s.indices(stride)},
                attributes({{"begin_mask", mask},
                            {"end_mask", mask},
                            {"new_axis_mask", none},
                            {"shrink_axis_mask", none},
                            {"ellipsis_mask", none}}));
}

/// Calls f(places of the window) in the order of the elements.
template <class F>
void for_each_place(const std::vector<PoolAxis>& axes, F f) {
  int64_t count = 1;
  for (const PoolAxis& a : axes) count *= a.kernel;
  for (int64_t p = 0; p < count; ++p) {
    std::vector<int64_t> place(axes.size());
    int64_t rest = p;
    for (size_t i = axes.size(); i-- > 0;) {
      place[i] = rest % axes[i].kernel;
      rest /= axes[i].kernel;
    }
    f(place);
  }
}

Shape out_shape(const std::vector<PoolAxis>& axes) {
  Shape s{1, 1};
  for (const PoolAxis& a : axes) s.push_back(a.out);
  return s;
}

/// For every output the value f(positions in the input), which may lie outside.
template <class T, class F>
std::vector<T> of_outputs(const std::vector<PoolAxis>& axes, const std::vector<int64_t>& place, F f) {
  std::vector<T> r;
  const int64_t count = element_count(out_shape(axes));
  std::vector<int64_t> at(axes.size());
  for (int64_t o = 0; o < count; ++o) {
    int64_t rest = o;
    for (size_t i = axes.size(); i-- > 0;) {
      at[i] = rest % axes[i].out * axes[i].stride + place[i] * axes[i].dilation - axes[i].before;
      rest /= axes[i].out;
    }
    r.push_back(f(at));
  }
  return r;
}

/// One by the number of elements that each window averages.
Value reciprocal_counts(Context& c, Steps& s, const std::vector<PoolAxis>& axes) {
  const bool with_pads = c.integer("count_include_pad", 0) != 0;
  std::vector<float> counts(static_cast<size_t>(element_count(out_shape(axes))), 0.0f);
  for_each_place(axes, [&](const std::vector<int64_t>& place) {
    const auto inside = of_outputs<float>(axes, place, [&](const std::vector<int64_t>& at) {
      for (size_t i = 0; i < axes.size(); ++i) {
        const int64_t low = with_pads ? -axes[i].before : 0, high = axes[i].size + (with_pads ? axes[i].after : 0);
        if (at[i] < low || at[i] >= high) return 0.0f;
      }
      return 1.0f;
    });
    std::ranges::transform(counts, inside, counts.begin(), std::plus<>());
  });
  for (float& v : counts) v = v > 0 ? 1 / v : 0;
  return s.reals(out_shape(axes), std::move(counts));
}

/// The positions in a plane of what lies under one place of the window.
Value positions(Context& c, Steps& s, const std::vector<PoolAxis>& axes, const std::vector<int64_t>& place) {
  const bool columns_first = c.integer("storage_order", 0) != 0;
  return s.constant(Tensor::of(ElementType::i64, out_shape(axes),
                               of_outputs<int64_t>(axes, place, [&](const std::vector<int64_t>& at) {
                                 int64_t p = 0;
                                 for (size_t k = 0; k < axes.size(); ++k) {
                                   const size_t i = columns_first ? axes.size() - 1 - k : k;
                                   p = p * axes[i].size + at[i];
                                 }
                                 return p;
                               })));
}

/// The number of the first element of every plane.
Value first_of_planes(Steps& s, const Shape& x) {
  const int64_t planes = x[0] * x[1], each = element_count(x) / planes;
  std::vector<int64_t> first;
  for (int64_t p = 0; p < planes; ++p) first.push_back(p * each);
  Shape shape(x.size(), 1);
  shape[0] = x[0];
  shape[1] = x[1];
  return s.constant(Tensor::of(ElementType::i64, shape, std::move(first)));
}

}  // namespace

namespace {

struct JoinedWindows {
  Value value, positions;
  std::vector<PoolAxis> axes;
};

/// The largest value under each window, or the sum.
JoinedWindows joined(Context& c, Steps& s, const WindowAttributes& w, Value data, bool is_max) {
  const Shape& x = data.shape();
  const std::vector<int64_t> kernel = c.integers("kernel_shape");
  if (!is_static(x) || kernel.size() + 2 != x.size()) c.refuse("its input has the shape " + to_string(x));
  std::vector<PoolAxis> axes;
  for (size_t i = 0; i < kernel.size(); ++i) axes.push_back(pool_axis(c, w, kernel, i, c.integer("ceil_mode", 0) != 0));
  if (element_count(kernel) > kMostPlaces) c.refuse("its window is " + to_string(kernel));
  std::vector<int64_t> begin(x.size(), 0), end(x.size(), 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const PoolAxis& a = axes[i];
    begin[i + 2] = a.before;
    end[i + 2] = std::max<int64_t>(0, (a.out - 1) * a.stride + a.extent() - a.size - a.before);
  }
  Value padded = data;
  const auto none = [](const std::vector<int64_t>& v) {
    return std::ranges::all_of(v, [](int64_t p) { return p == 0; });
  };
  if (!none(begin) || !none(end))
    padded = s.make("Pad", {padded, s.indices(begin), s.indices(end), s.number(padded, is_max ? kLowest : 0)},
                    attributes({{"pad_mode", std::string("constant")}}));
  const bool wants_positions = is_max && c.output_count() > 1;
  Value y, at;
  for_each_place(axes, [&](const std::vector<int64_t>& place) {
    const Value v = under(s, padded, axes, place);
    if (wants_positions) {
      const Value here = positions(c, s, axes, place);
      at = at ? s.make("Select", {s.make("Greater", {v, y}), here, at})
              : s.add(here, s.zeros(ElementType::i64, Shape(v.shape())));
    }
    y = y ? s.make(is_max ? "Maximum" : "Add", {y, v}) : v;
  });
  return {y, at, axes};
}

}  // namespace

std::vector<Value> spelled_pool(Context& c, const WindowAttributes& w, Value x, bool is_max) {
  Steps s(c);
  const JoinedWindows r = joined(c, s, w, x, is_max);
  const Value y = is_max ? r.value : s.multiply(r.value, reciprocal_counts(c, s, r.axes));
  if (!r.positions) return {s.done(y)};
  return {s.done(y), s.add(r.positions, first_of_planes(s, x.shape()))};
}

Value spelled_mean(Context& c, const WindowAttributes& w, Value x) {
  Steps s(c);
  return s.multiply(joined(c, s, w, x, false).value,
                    1 / static_cast<double>(element_count(c.integers("kernel_shape"))));
}

bool hangs_over(Context& c, const WindowAttributes& w) {
  const std::vector<int64_t> kernel = c.integers("kernel_shape");
  const Shape& x = c.input(0).shape();
  if (c.integer("ceil_mode", 0) == 0 || !is_static(x) || kernel.size() + 2 != x.size() || w.auto_pad != "explicit")
    return false;
  for (size_t i = 0; i < kernel.size(); ++i) {
    const int64_t range = x[i + 2] + w.pads_begin[i] + w.pads_end[i] - kernel[i];
    if (range >= 0 && (range + w.strides[i] - 1) / w.strides[i] * w.strides[i] >= x[i + 2] + w.pads_begin[i])
      return true;
  }
  return false;
}

}  // namespace blobsmith::onnx_import::mo
