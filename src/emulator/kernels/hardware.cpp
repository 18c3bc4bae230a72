// MyriadXHwOp: its list of operations; pooling, fully connected (execution spec §2).
#include "emulator/kernels/hardware.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "emulator/kernels/shared.hpp"
#include "emulator/pool_plane.hpp"

namespace blobsmith::emulator {

using vpu::HwOp;
using vpu::HwOpType;
using vpu::HwPoolType;

std::vector<float> channel_vector(StageRun& s, int32_t index) {
  return index < 0 ? std::vector<float>{} : read_floats(memory_order(s.in(index)));
}

Finish activation_of(const HwOp& op) {
  Finish f;
  f.relu = op.with_relu != 0;
  f.threshold = static_cast<float>(op.t0);
  f.slope_below = static_cast<float>(op.a0);
  f.slope_above = static_cast<float>(op.a1);
  f.clamp = op.with_clamp != 0;
  f.clamp_max = op.clamp_max;
  return f;
}

void check_weights(StageRun& s, const View& k, int64_t area, int64_t last_channel) {
  s.check(k.rank == 4 && k.type == DataType::FP16 && k.dims[0] == kGroup && k.dims[1] == area,
          "weights of an unexpected shape");
  s.check(k.strides[0] == 2 && k.strides[1] == 2 * kGroup && k.strides[2] == k.strides[1] * area &&
              k.strides[3] == k.strides[2] * k.dims[2],
          "weights that are not compact");
  s.check(last_channel <= k.dims[3] * kGroup, "fewer weights than output channels");
}

namespace {

/// The pads of an average are not in the blob: half the kernel where the sizes are those of a "same" pool, else none.
int64_t average_pad(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  const bool nothing_hangs_over = stride < kernel && (out - 1) * stride + kernel <= in;
  return nothing_hangs_over || out != (in - 1) / stride + 1 ? 0 : kernel / 2;
}

Window pool_window(const HwOp& op, const Grid& x, const Grid& y) {
  Window w{op.kernel_width, op.kernel_height, op.kernel_stride, op.kernel_stride};
  if (!op.with_pad) return w;
  if (op.pool_type == HwPoolType::Max) {
    if (op.pad_mode & vpu::hw_pad::kRepeatLeft) w.pad_left = w.kernel_x / 2;
    if (op.pad_mode & vpu::hw_pad::kRepeatTop) w.pad_top = w.kernel_y / 2;
  } else {
    w.pad_left = average_pad(x.dims[3], y.dims[3], w.kernel_x, w.stride_x);
    w.pad_top = average_pad(x.dims[2], y.dims[2], w.kernel_y, w.stride_y);
  }
  return w;
}

/// Sums of a row, from a column on -> averages. `x`: the input.
void average(const Window& w, bool exclude_pad, const Grid& x, int64_t row, int64_t column, std::span<float> values) {
  // The unit multiplies by an FP16 reciprocal of the whole kernel's area, whatever the model says of its pads.
  const float area = static_cast<float>(w.kernel_x * w.kernel_y), factor = to_half_and_back(1.0f / area);
  for (float& v : values) {
    v *= factor;
    if (exclude_pad) {
      const int64_t count = cut(row * w.stride_y - w.pad_top, w.kernel_y, 0, x.dims[2]).length() *
                            cut(column * w.stride_x - w.pad_left, w.kernel_x, 0, x.dims[3]).length();
      v *= area / static_cast<float>(std::max<int64_t>(count, 1));
    }
    ++column;
  }
}

void touch_pool(StageRun& s, const HwOp& op, const Window& w, Grid x, const Grid& y, int64_t first, int64_t last) {
  if (!s.checks_memory()) return;
  x.dims[2] = reach(x.dims[2], y.dims[2], w.kernel_y, w.stride_y, w.pad_top);
  x.dims[3] = reach(x.dims[3], y.dims[3], w.kernel_x, w.stride_x, w.pad_left);
  for (int64_t q = first; q < last; ++q)
    for (const bool write : {false, true}) {
      const Grid& g = write ? y : x;
      s.touch({write ? op.output_index : op.input_index, write, true,
               slice(slice(g, 0, q / y.dims[1], 1), 1, q % y.dims[1], 1)});
    }
}

void run_pool(StageRun& s, const HwOp& op) {
  const Grid x = planes(s.in_parts(op.input_index)), y = planes(s.out_parts(op.output_index));
  check_window({op.kernel_width, op.kernel_height, op.kernel_stride, op.kernel_stride});
  s.check(x.dims[0] == y.dims[0] && x.dims[1] >= y.dims[1], "a pool between different channels");
  const Window w = pool_window(op, x, y);
  const Finish activation = activation_of(op);
  const int64_t first = op.out_channel_offset, last = std::min<int64_t>(first + op.out_channels, y.dims[0] * y.dims[1]);
  touch_pool(s, op, w, x, y, first, last);
  s.pool().run(
      std::max<int64_t>(last - first, 0),
      [&](int64_t task) {
        const int64_t n = (first + task) / y.dims[1], channel = (first + task) % y.dims[1];
        const bool max = op.pool_type == HwPoolType::Max;
        pool_plane(max, w, plane_at(x, n, channel), plane_at(y, n, channel),
                   [&](int64_t row, int64_t column, std::span<float> values) {
                     if (!max) average(w, s.options().avg_exclude_pad, x, row, column, values);
                     if (activation.relu || activation.clamp)
                       compute::finish(activation, values.data(), static_cast<int64_t>(values.size()));
                   });
      },
      (last - first) * y.dims[2] * y.dims[3] * w.kernel_x * w.kernel_y);
}

/// Partial sums of fully connected outputs, by first output.
using PartialSums = std::map<uint32_t, std::vector<float>>;

void run_fully_connected(StageRun& s, const HwOp& op, PartialSums& partial) {
  const std::vector<float> x = read_floats(memory_order(s.in(op.input_index)));
  const View k = s.in(op.weights_index);
  const View y = s.out(op.output_index);
  const std::vector<float> bias = channel_vector(s, op.biases_index), scale = channel_vector(s, op.scales_index);
  const int64_t first = op.fc_output_offset, last = std::min(first + int64_t{op.fc_outputs}, y.count());
  if (last <= first) return;
  check_weights(s, k, 1, last);
  s.check((bias.empty() || static_cast<int64_t>(bias.size()) >= last) &&
              (scale.empty() || static_cast<int64_t>(scale.size()) >= last),
          "fewer biases or scales than outputs");
  const std::vector<float> weights = read_floats(memory_order(k));  // [group][input][1][8]
  const int64_t begin = op.fc_input_offset,
                end = std::min({begin + int64_t{op.fc_inputs}, static_cast<int64_t>(x.size()), k.dims[2]});
  std::vector<float>& sums = partial[op.fc_output_offset];
  sums.resize(static_cast<size_t>(last - first));
  Finish f = activation_of(op);
  for (int64_t o = first; o < last; ++o) {
    float& sum = sums[static_cast<size_t>(o - first)];
    for (int64_t i = begin; i < end; ++i)
      sum +=
          x[static_cast<size_t>(i)] * weights[static_cast<size_t>((o / kGroup * k.dims[2] + i) * kGroup + o % kGroup)];
    if (op.fc_accumulate) continue;
    f.bias = bias.empty() ? 0 : bias[static_cast<size_t>(o)];
    f.scale = scale.empty() ? 1 : scale[static_cast<size_t>(o)];
    compute::finish(f, &sum, 1);
  }
  if (op.fc_accumulate) return;
  std::vector<float> values = read_floats(memory_order(y));
  std::copy(sums.begin(), sums.end(), values.begin() + first);
  write(memory_order(y), values);
}

void run_hardware(StageRun& s) {
  PartialSums partial;
  const std::vector<HwOp>& ops = s.params<vpu::HwOpParams>().ops;
  for (size_t next = 0; next < ops.size();) {
    const HwOp op = merged_operation(ops, next);
    switch (op.type) {
      case HwOpType::Conv:
      case HwOpType::ConvPool: run_hardware_convolution(s, op); break;
      case HwOpType::Pool: run_pool(s, op); break;
      case HwOpType::FullyConnected: run_fully_connected(s, op, partial); break;
      default: s.check(false, "an unknown hardware operation");
    }
  }
}

constexpr KernelRow kRows[] = {
    {StageType::MyriadXHwOp, run_hardware},
};

}  // namespace

std::span<const KernelRow> hardware_kernels() { return kRows; }

}  // namespace blobsmith::emulator
