// Pooling, and what the pooling hardware can do (front-end spec §9, middle-end spec §3 "attributes of the stub
// stages").
#include "vpu/lowering/parsers/sliding_window.hpp"
#include "vpu/options/faults.hpp"

namespace blobsmith::vpu {
namespace {

struct Pool {
  bool max = false, exclude_pad = false, same_upper = false;
  Window w;
  int64_t in_w = 1, in_h = 1, out_w = 1, out_h = 1;

  bool kernel(int64_t x, int64_t y) const { return w.kernel_x == x && w.kernel_y == y; }
  bool stride(int64_t x, int64_t y) const { return w.stride_x == x && w.stride_y == y; }
  bool even_kernel() const { return w.kernel_x % 2 == 0 || w.kernel_y % 2 == 0; }
};

/// Pads grow at the end until the last position of the kernel fits.
void enlarge_pads(Pool& p) {
  const auto enlarge = [](int64_t in, int64_t out, int64_t stride, int64_t kernel, int64_t begin, int64_t& end) {
    const int64_t needed = (out - 1) * stride + kernel;
    if (needed > in + begin + end) end = needed - (in + begin);
  };
  enlarge(p.in_w, p.out_w, p.w.stride_x, p.w.kernel_x, p.w.pad_left, p.w.pad_right);
  enlarge(p.in_h, p.out_h, p.w.stride_y, p.w.kernel_y, p.w.pad_top, p.w.pad_bottom);
}

/// The output is one that the hardware would make, counting from either rounding.
bool natural_size(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t pads, int64_t end_pad) {
  if (in % 2 == 1 && kernel % 2 == 0 && end_pad == 0) ++in;
  const int64_t t = in + pads - kernel;
  return t >= 0 && (out == (t + stride) / stride || out == ceil_div(t, stride) + 1);
}

bool hw_can_do(const LayerContext& c, const Pool& p) {
  constexpr int kMaxKernel = 15, kMaxStride = 8;
  const Window& w = p.w;
  if (!c.options.hw_acceleration || c.options.hw_disabled(c.name())) return false;
  if (w.stride_x != w.stride_y || w.kernel_x > kMaxKernel || w.kernel_y > kMaxKernel || w.stride_x > kMaxStride)
    return false;
  if (!natural_size(p.in_w, p.out_w, w.kernel_x, w.stride_x, w.pad_left + w.pad_right, w.pad_right)) return false;
  if (!natural_size(p.in_h, p.out_h, w.kernel_y, w.stride_y, w.pad_top + w.pad_bottom, w.pad_bottom)) return false;
  // From here on: forms in which the hardware is known to give wrong results.
  if (p.even_kernel() && (p.in_w > 1000 || p.in_h > 700)) return false;
  if (p.kernel(2, 2) && p.stride(1, 1) && p.out_w % 2 == 0 && p.out_h % 2 == 0 && p.same_upper) return false;
  if (p.max) {
    if (p.kernel(3, 3) && p.stride(2, 2) && w.pad_left == 0 && w.pad_top == 0 && w.pad_right == 2 && w.pad_bottom == 2)
      return false;
    return !(p.in_w == 382 && p.in_h == 214 && p.kernel(2, 2) && p.stride(2, 2));
  }
  if (p.kernel(1, 1) || (p.kernel(3, 3) && w.stride_x == 2) || (p.kernel(5, 5) && w.stride_x == 3)) return false;
  if (p.even_kernel() && (p.in_w % 2 == 1 || p.in_h % 2 == 1)) return false;
  return !(p.exclude_pad && !w.no_pads() && p.out_w <= 5 && p.out_h <= 5);
}

void set_sizes(const LayerContext& c, Pool& p) {
  p.in_w = c.in()->desc.dim(Dim::W);
  p.in_h = c.in()->desc.dim(Dim::H, 1);
  p.out_w = c.out()->desc.dim(Dim::W);
  p.out_h = c.out()->desc.dim(Dim::H, 1);
}

/// quirk: the hardware divides by the whole kernel at the borders, also where the layer excludes padding; the reference
/// knows and sends large outputs there all the same. Without quirks such pools stay in software.
bool may_use_hw(LayerContext& c, const Pool& p) {
  if (!hw_can_do(c, p)) return false;
  if (reproduces(c.options, Fault::AveragesAtBorders) || p.max || !p.exclude_pad || p.w.no_pads()) return true;
  c.program.remark_not_as_intel(c.origin.get(), "averages at the borders exclude the padding, as the model says");
  return false;
}

void parse_pooling_2d(LayerContext& c, Pool p) {
  p.w = as_window(spatial_windows(c, c.attrs().integers("kernel"), PadRule::Pooling));
  set_sizes(c, p);
  enlarge_pads(p);
  unify_strides(p.w, p.in_h);
  Stage* s = c.add_stage(p.max ? StageType::StubMaxPool : StageType::StubAvgPool);
  StubSpec spec;
  spec.window = p.w;
  spec.exclude_pad = p.exclude_pad;
  spec.try_hw = may_use_hw(c, p);
  s->set(spec);
}

void parse_pooling_3d(LayerContext& c, Pool p) {
  constexpr int kMaxMethod = 1, kAvgMethod = 2, kFloor = 3;
  const Windows w = spatial_windows(c, c.attrs().integers("kernel"), PadRule::Pooling);
  for (size_t i = 0; i < w.size(); ++i) {  // whatever the rounding is
    const Dim d = c.in()->desc.order.at(static_cast<int>(i));
    const int64_t expected = (c.in()->desc.dim(d) + w[i].pad_begin + w[i].pad_end - w[i].kernel) / w[i].stride + 1,
                  actual = c.out()->desc.dim(d);
    c.require(actual == expected, "failed check of output shape: i=" + std::to_string(i) +
                                      ", actual=" + std::to_string(actual) + ", expected=" + std::to_string(expected));
  }
  Stage* s = c.add_stage(StageType::PoolND);
  PoolNDSpec spec;
  spec.kernel = words(w, &AxisWindow::kernel);
  spec.pads_begin = words(w, &AxisWindow::pad_begin);
  spec.pads_end = words(w, &AxisWindow::pad_end);
  spec.strides = words(w, &AxisWindow::stride);
  spec.method = p.max ? kMaxMethod : kAvgMethod;
  spec.rounding = kFloor;  // quirk: also where the model rounds up; the size was checked above
  spec.exclude_pad = p.exclude_pad;
  p.w = as_window(w);
  set_sizes(c, p);
  spec.try_hw = hw_can_do(c, p);  // the planes are pooled
  s->set(std::move(spec));
}

void parse_pooling(LayerContext& c) {
  c.expect_ports(1, 1);
  const int rank = c.in()->desc.rank();
  c.require(rank >= 3 && rank <= 5,
            "Pooling supports only 3D or 4D or 5D input, but input number of dims=" + std::to_string(rank));
  Pool p;
  p.max = c.node().is("MaxPool");
  p.exclude_pad = !p.max && c.attrs().flag("exclude-pad", false);
  p.same_upper = c.text("auto_pad") == "same_upper";
  if (rank == 5)
    parse_pooling_3d(c, p);
  else
    parse_pooling_2d(c, p);
}

constexpr ParserRow kRows[] = {
    {"Pooling", parse_pooling},
};

}  // namespace

std::span<const ParserRow> pooling_parsers() { return kRows; }

}  // namespace blobsmith::vpu
