#include "vpu/lowering/parsers/sliding_window.hpp"

#include <algorithm>

namespace blobsmith::vpu {
namespace {

void read_column(Windows& w, int64_t AxisWindow::* member, const Attributes& attrs, std::string_view name) {
  std::vector<int64_t> v = attrs.get_or<std::vector<int64_t>>(name, {});
  v.resize(w.size(), AxisWindow{}.*member);
  std::ranges::reverse(v);
  set_column(w, member, v);
}

/// Pads that give ceil(size / stride) positions; the odd one goes to the end, or to the begin for same_lower.
void pad_same(Windows& windows, const Shape& shape, PadRule rule, bool upper) {
  for (size_t i = 0; i < windows.size(); ++i) {
    AxisWindow& w = windows[i];
    const int64_t kernel = rule == PadRule::Pooling ? w.kernel : w.reach();
    const int64_t size = shape[shape.size() - 1 - i] * (rule == PadRule::Deconvolution ? w.stride : 1);
    const int64_t rest = size % w.stride;
    w.set_pads(std::max<int64_t>(kernel - (rest == 0 ? w.stride : rest), 0), upper);
  }
}

/// Numbers beyond those of any tensor's window, for which sums could overflow.
void check_limits(const LayerContext& c, const Windows& windows) {
  constexpr int64_t kLimit = int64_t{1} << 31;
  const auto within = [](int64_t x, int64_t min) { return x >= min && x < kLimit; };
  const bool good = std::ranges::all_of(windows, [&](const AxisWindow& w) {
    return within(w.kernel, 1) && within(w.stride, 0) && within(w.dilation, 1) && within(w.pad_begin, -kLimit) &&
           within(w.pad_end, -kLimit);
  });
  c.require(good, "the kernel, strides, pads or dilations are out of range");
}

}  // namespace

Windows spatial_windows(const LayerContext& c, std::vector<int64_t> kernel, PadRule rule) {
  std::ranges::reverse(kernel);
  Windows w(kernel.size());
  set_column(w, &AxisWindow::kernel, kernel);
  read_column(w, &AxisWindow::stride, c.attrs(), "strides");
  read_column(w, &AxisWindow::dilation, c.attrs(), "dilations");
  read_column(w, &AxisWindow::pad_begin, c.attrs(), "pads_begin");
  read_column(w, &AxisWindow::pad_end, c.attrs(), "pads_end");
  check_limits(c, w);
  c.require(std::ranges::find(w, 0, &AxisWindow::stride) == w.end(), "Stride could not be 0.\nIn layer " + c.name());
  c.require(c.node().input(0).shape().size() >= w.size() + 2,
            "a kernel of " + std::to_string(w.size()) + " axes does not fit the input");
  const std::string auto_pad = c.text("auto_pad", "explicit");
  if (auto_pad == "valid") {
    for (AxisWindow& axis : w) axis.pad_begin = axis.pad_end = 0;
  } else if (auto_pad == "same_upper" || auto_pad == "same_lower") {
    pad_same(w, c.node().input(0).shape(), rule, auto_pad == "same_upper");
  }
  return w;
}

std::vector<int32_t> words(const Windows& w, int64_t AxisWindow::* member) {
  const std::vector<int64_t> list = column(w, member);  // check_limits has seen the numbers
  return {list.begin(), list.end()};
}

Window as_window(const Windows& w) {
  ensure(!w.empty() && w.size() <= 3, "window of " + std::to_string(w.size()) + " axes");
  const AxisWindow x = w[0], y = w.size() >= 2 ? w[1] : AxisWindow{};
  return {x.kernel,  y.kernel,    x.stride,  y.stride,   x.pad_begin,
          x.pad_end, y.pad_begin, y.pad_end, x.dilation, y.dilation};
}

void unify_strides(Window& w, int64_t input_height) {
  if (w.kernel_y == input_height + w.pad_top + w.pad_bottom) w.stride_y = w.stride_x;
}

}  // namespace blobsmith::vpu
