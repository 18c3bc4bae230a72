// MyriadXHwOp: convolutions, with pooling or without (execution spec §2).
#include <algorithm>
#include <utility>

#include "emulator/kernels/hardware.hpp"
#include "emulator/kernels/shared.hpp"

namespace blobsmith::emulator {

using vpu::BlobStage;
using vpu::HwOp;
using vpu::HwOpType;

HwOp merged_operation(const std::vector<HwOp>& ops, size_t& next) {
  HwOp op = ops[next++];
  const auto continues = [&](HwOp other) {
    if (other.out_channel_offset != op.out_channel_offset + op.out_channels) return false;
    other.out_channel_offset = op.out_channel_offset;
    const uint32_t channels = std::exchange(other.out_channels, op.out_channels);
    if (!(other == op)) return false;
    op.out_channels += channels;
    return true;
  };
  if (op.type == HwOpType::Conv || op.type == HwOpType::ConvPool)
    while (next < ops.size() && continues(ops[next])) ++next;
  return op;
}

namespace {

/// Tells which elements of a convolution's tensors are accessed: input channels whose weights are all zero are not
/// (execution spec §1.3), nor the rows and columns behind the last kernel position.
void touch_convolution(StageRun& s, const HwOp& op, const Convolution& c, Grid x, Grid y) {
  if (!s.checks_memory()) return;
  const int64_t plane = c.pool ? 2 : 1, area = c.window.area();
  x.dims[2] = reach(x.dims[2], y.dims[2] * plane, c.window.kernel_y, c.window.stride_y, c.window.pad_top);
  x.dims[3] = reach(x.dims[3], y.dims[3] * plane, c.window.kernel_x, c.window.stride_x, c.window.pad_left);
  const auto* weights = static_cast<const uint8_t*>(c.weights);  // a blob may hold them at an odd place
  constexpr int64_t kHalf = 2;
  for (int64_t channel = 0; channel < std::min(x.dims[1], c.input_channels); ++channel) {
    bool used = false;
    for (int64_t group = c.first / kGroup; group * kGroup < c.last && !used; ++group) {
      const uint8_t* half = weights + (group * c.input_channels + channel) * area * kGroup * kHalf;
      for (const uint8_t* end = half + area * kGroup * kHalf; half < end && !used; half += kHalf)
        used = (half[0] | (half[1] & 0x7F)) != 0;
    }
    if (used) s.touch({op.input_index, false, true, slice(x, 1, channel, 1)});
  }
  s.touch({op.output_index, true, true, slice(y, 1, c.first, c.last - c.first)});
}

/// A convolution and the vectors that it refers to.
struct Prepared {
  Convolution c;
  std::vector<float> biases, scales;

  Prepared(StageRun& s, const HwOp& op, int64_t output_channels) {
    c.window = {op.kernel_width, op.kernel_height, op.kernel_stride, op.kernel_stride};
    if (op.with_pad) {
      c.window.pad_left = op.kernel_width / 2;
      c.window.pad_top = op.kernel_height / 2;
    }
    check_window(c.window);
    c.first = op.out_channel_offset;
    c.last = std::min<int64_t>(int64_t{op.out_channel_offset} + op.out_channels, output_channels);
    const View k = s.in(op.weights_index);
    biases = channel_vector(s, op.biases_index);
    scales = channel_vector(s, op.scales_index);
    if (is_empty()) return;
    check_weights(s, k, c.window.area(), c.last);
    s.check((biases.empty() || static_cast<int64_t>(biases.size()) >= c.last) &&
                (scales.empty() || static_cast<int64_t>(scales.size()) >= c.last),
            "fewer biases or scales than output channels");
    c.weights = k.data;
    c.input_channels = k.dims[2];
    c.pool = op.type == HwOpType::ConvPool;
    c.fp16_sums = s.options().arithmetic.fp16_sums;
    c.activation = activation_of(op);
    c.biases = biases;
    c.scales = scales;
  }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  bool is_empty() const { return c.last <= c.first; }
};

}  // namespace

void run_hardware_convolution(StageRun& s, const HwOp& op) {
  const Grid x = planes(s.in_parts(op.input_index)), y = planes(s.out_parts(op.output_index));
  const Prepared prepared(s, op, y.dims[1]);
  if (prepared.is_empty()) return;
  const Convolution& c = prepared.c;
  s.check(x.dims[0] == y.dims[0], "input and output of different batch");
  touch_convolution(s, op, c, x, y);
  for (int64_t n = 0; n < y.dims[0]; ++n) convolve(s.pool(), s.planes_cache(), at_index(x, 0, n), c, at_index(y, 0, n));
}

void run_joined_stages(Machine& machine, std::span<const BlobStage> stages) {
  size_t next = 0;
  StageRun first(machine, stages[0]);
  const HwOp op = merged_operation(first.params<vpu::HwOpParams>().ops, next);
  const auto images = [&](int32_t buffer) {
    std::vector<Grid> list;
    for (const BlobStage& s : stages)
      list.push_back(at_index(planes(machine.memory.view(s.buffers[static_cast<size_t>(buffer)])), 0, 0));
    return list;
  };
  const std::vector<Grid> xs = images(op.input_index), ys = images(op.output_index);
  machine.workplace.planes.clear();
  const Prepared prepared(first, op, ys[0].dims[0]);
  if (!prepared.is_empty())
    convolve_elements(machine.pool, ShiftedPlanes(xs, prepared.c.input_channels, prepared.c.window), prepared.c, ys);
}

}  // namespace blobsmith::emulator
