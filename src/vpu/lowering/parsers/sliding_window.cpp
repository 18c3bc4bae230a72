#include "vpu/lowering/parsers/sliding_window.hpp"

#include <algorithm>

namespace blobsmith::vpu {
namespace {

std::vector<int64_t> reversed_or(const Attributes& attrs, std::string_view name, size_t rank, int64_t fallback) {
  std::vector<int64_t> v = attrs.get_or<std::vector<int64_t>>(name, {});
  v.resize(rank, fallback);
  std::ranges::reverse(v);
  return v;
}

/// Pads that give ceil(size / stride) positions; the odd one goes to the end, or to the begin for same_lower.
void pad_same(SpatialWindow& w, const Shape& shape, PadRule rule, bool upper) {
  for (size_t i = 0; i < w.rank(); ++i) {
    const int64_t stride = w.strides[i];
    const int64_t kernel = rule == PadRule::Pooling ? w.kernel[i] : (w.kernel[i] - 1) * w.dilations[i] + 1;
    const int64_t size = shape[shape.size() - 1 - i] * (rule == PadRule::Deconvolution ? stride : 1);
    const int64_t rest = size % stride;
    const int64_t sum = std::max<int64_t>(kernel - (rest == 0 ? stride : rest), 0);
    w.pads_begin[i] = upper ? sum / 2 : sum - sum / 2;
    w.pads_end[i] = sum - w.pads_begin[i];
  }
}

/// Numbers beyond those of any tensor's window, for which sums could overflow.
void check_limits(const LayerContext& c, const SpatialWindow& w) {
  constexpr int64_t kLimit = int64_t{1} << 31;
  const auto within = [](const std::vector<int64_t>& v, int64_t min) {
    return std::ranges::all_of(v, [&](int64_t x) { return x >= min && x < kLimit; });
  };
  const bool good = within(w.kernel, 1) && within(w.strides, 0) && within(w.dilations, 1) &&
                    within(w.pads_begin, -kLimit) && within(w.pads_end, -kLimit);
  c.require(good, "the kernel, strides, pads or dilations are out of range");
}

}  // namespace

SpatialWindow spatial_window(const LayerContext& c, std::vector<int64_t> kernel, PadRule rule) {
  SpatialWindow w;
  w.kernel = std::move(kernel);
  std::ranges::reverse(w.kernel);
  w.strides = reversed_or(c.attrs(), "strides", w.rank(), 1);
  w.dilations = reversed_or(c.attrs(), "dilations", w.rank(), 1);
  w.pads_begin = reversed_or(c.attrs(), "pads_begin", w.rank(), 0);
  w.pads_end = reversed_or(c.attrs(), "pads_end", w.rank(), 0);
  check_limits(c, w);
  c.require(std::ranges::find(w.strides, 0) == w.strides.end(), "Stride could not be 0.\nIn layer " + c.name());
  c.require(c.node().input(0).shape().size() >= w.rank() + 2,
            "a kernel of " + std::to_string(w.rank()) + " axes does not fit the input");
  const std::string auto_pad = c.text("auto_pad", "explicit");
  if (auto_pad == "valid") {
    std::ranges::fill(w.pads_begin, 0);
    std::ranges::fill(w.pads_end, 0);
  } else if (auto_pad == "same_upper" || auto_pad == "same_lower") {
    pad_same(w, c.node().input(0).shape(), rule, auto_pad == "same_upper");
  }
  return w;
}

std::vector<int32_t> words(const std::vector<int64_t>& list) { return {list.begin(), list.end()}; }

Window as_window(const SpatialWindow& w) {
  ensure(w.rank() >= 1 && w.rank() <= 3, "window of " + std::to_string(w.rank()) + " axes");
  Window r;
  r.kernel_x = w.kernel[0];
  r.stride_x = w.strides[0];
  r.pad_left = w.pads_begin[0];
  r.pad_right = w.pads_end[0];
  r.dilation_x = w.dilations[0];
  if (w.rank() >= 2) {
    r.kernel_y = w.kernel[1];
    r.stride_y = w.strides[1];
    r.pad_top = w.pads_begin[1];
    r.pad_bottom = w.pads_end[1];
    r.dilation_y = w.dilations[1];
  }
  return r;
}

void unify_strides(Window& w, int64_t input_height) {
  if (w.kernel_y == input_height + w.pad_top + w.pad_bottom) w.stride_y = w.stride_x;
}

}  // namespace blobsmith::vpu
