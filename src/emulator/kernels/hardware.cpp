// MyriadXHwOp: convolutions, convolution with pooling, pooling, fully connected (execution spec §2).
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>

#include "emulator/convolution.hpp"
#include "emulator/kernels/kernels.hpp"
#include "vpu/stages/hw_op.hpp"

namespace blobsmith::emulator {
namespace {

using vpu::HwOp;
using vpu::HwOpType;
using vpu::HwPoolType;

/// One batch item of a grid N, C, H, W.
Grid item(const Grid& g, int64_t n) {
  Grid r{g.data + n * g.strides[0], g.type};
  for (size_t k = 1; k < 4; ++k) r.push(g.dims[k], g.strides[k]);
  return r;
}

std::vector<float> channel_vector(StageRun& s, int32_t index) { return index < 0 ? std::vector<float>{} : read_floats(memory_order(s.in(index))); }

void set_activation(const HwOp& op, Finish& f) {
  f.relu = op.with_relu != 0;
  f.threshold = static_cast<float>(op.t0);
  f.slope_below = static_cast<float>(op.a0);
  f.slope_above = static_cast<float>(op.a1);
  f.clamp = op.with_clamp != 0;
  f.clamp_max = op.clamp_max;
}

void check_weights(StageRun& s, const View& k, int64_t area, int64_t last_channel) {
  s.check(k.rank == 4 && k.type == DataType::FP16 && k.dims[0] == kGroup && k.dims[1] == area, "weights of an unexpected shape");
  s.check(k.strides[0] == 2 && k.strides[1] == 2 * kGroup && k.strides[2] == k.strides[1] * area && k.strides[3] == k.strides[2] * k.dims[2], "weights that are not compact");
  s.check(last_channel <= k.dims[3] * kGroup, "fewer weights than output channels");
}

/// The operations of a stage mostly share their input: its FP32 form is made once.
class PlanesCache {
 public:
  const ShiftedPlanes& get(StageRun& s, int32_t input, int64_t n, const Grid& image, int64_t channels, const Window& w, int64_t height, int64_t width) {
    if (!planes_ || input != input_ || n != n_ || channels != channels_ || !(w == window_) || height != height_ || width != width_) {
      planes_ = std::make_unique<ShiftedPlanes>(s.pool(), image, channels, w, height, width);
      input_ = input;
      n_ = n;
      channels_ = channels;
      window_ = w;
      height_ = height;
      width_ = width;
    }
    return *planes_;
  }

 private:
  std::unique_ptr<ShiftedPlanes> planes_;
  int32_t input_ = -1;
  int64_t n_ = -1, channels_ = 0, height_ = 0, width_ = 0;
  Window window_;
};

/// Rows of x that `rows` rows of the result need; columns alike.
int64_t reach(int64_t size, int64_t results, int64_t kernel, int64_t stride, int64_t pad) { return std::clamp<int64_t>((results - 1) * stride - pad + kernel, 0, size); }

/// Tells which elements of a convolution's tensors are accessed: input channels whose weights are all zero are not (execution
/// spec §1.3), nor the rows and columns behind the last kernel position.
void touch_convolution(StageRun& s, const HwOp& op, const Convolution& c, Grid x, Grid y) {
  if (!s.checks_memory()) return;
  const int64_t plane = c.pool ? 2 : 1, area = c.window.kernel_x * c.window.kernel_y;
  x.dims[2] = reach(x.dims[2], y.dims[2] * plane, c.window.kernel_y, c.window.stride_y, c.window.pad_top);
  x.dims[3] = reach(x.dims[3], y.dims[3] * plane, c.window.kernel_x, c.window.stride_x, c.window.pad_left);
  const auto* weights = static_cast<const uint16_t*>(c.weights);
  for (int64_t channel = 0; channel < std::min(x.dims[1], c.input_channels); ++channel) {
    bool used = false;
    for (int64_t group = c.first / kGroup; group * kGroup < c.last && !used; ++group) {
      const uint16_t* begin = weights + (group * c.input_channels + channel) * area * kGroup;
      used = std::any_of(begin, begin + area * kGroup, [](uint16_t w) { return (w & 0x7FFF) != 0; });
    }
    if (used) s.touch({op.input_index, false, true, slice(x, 1, channel, 1)});
  }
  s.touch({op.output_index, true, true, slice(y, 1, c.first, c.last - c.first)});
}

void run_convolution(StageRun& s, const HwOp& op, PlanesCache& cache) {
  const Grid x = planes(s.in_parts(op.input_index)), y = planes(s.out_parts(op.output_index));
  const View k = s.in(op.weights_index);
  const std::vector<float> bias = channel_vector(s, op.biases_index), scale = channel_vector(s, op.scales_index);
  Convolution c;
  c.window = {op.kernel_width, op.kernel_height, op.kernel_stride, op.kernel_stride, op.with_pad ? op.kernel_width / 2 : 0, op.with_pad ? op.kernel_height / 2 : 0};
  c.window.check();
  c.first = op.out_channel_offset;
  c.last = std::min<int64_t>(int64_t{op.out_channel_offset} + op.out_channels, y.dims[1]);
  if (c.last <= c.first) return;
  check_weights(s, k, c.window.kernel_x * c.window.kernel_y, c.last);
  s.check((bias.empty() || static_cast<int64_t>(bias.size()) >= c.last) && (scale.empty() || static_cast<int64_t>(scale.size()) >= c.last), "fewer biases or scales than output channels");
  s.check(x.dims[0] == y.dims[0], "input and output of different batch");
  c.weights = k.data;
  c.input_channels = k.dims[2];
  c.pool = op.type == HwOpType::ConvPool;
  c.fp16_sums = s.options().arithmetic.fp16_sums;
  touch_convolution(s, op, c, x, y);
  Finish shared;
  set_activation(op, shared);
  c.finish = [&](int64_t channel) {
    Finish f = shared;
    if (!bias.empty()) f.bias = bias[static_cast<size_t>(channel)];
    if (!scale.empty()) f.scale = scale[static_cast<size_t>(channel)];
    return f;
  };
  PackedWeights own;
  PackedWeights& packed = s.stage().buffers[static_cast<size_t>(op.weights_index)].location == vpu::Location::Blob ? s.machine().packed_weights : own;
  const int64_t plane = c.pool ? 2 : 1;
  for (int64_t n = 0; n < y.dims[0]; ++n) {
    c.y = item(y, n);
    convolve(s.pool(), cache.get(s, op.input_index, n, item(x, n), c.input_channels, c.window, c.y.dims[1] * plane, c.y.dims[2] * plane), c, packed);
  }
}

/// The pads of an average are not in the blob: half the kernel where the sizes are those of a "same" pool, else none.
int64_t average_pad(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  const bool nothing_hangs_over = stride < kernel && (out - 1) * stride + kernel <= in;
  return nothing_hangs_over || out != (in - 1) / stride + 1 ? 0 : kernel / 2;
}

struct PoolWindow {
  int64_t kernel_x, kernel_y, stride, left, top;
};

PoolWindow pool_window(const HwOp& op, const Grid& x, const Grid& y) {
  PoolWindow w{op.kernel_width, op.kernel_height, op.kernel_stride, 0, 0};
  if (!op.with_pad) return w;
  if (op.pool_type == HwPoolType::Max) {
    if (op.pad_mode & vpu::hw_pad::kRepeatLeft) w.left = w.kernel_x / 2;
    if (op.pad_mode & vpu::hw_pad::kRepeatTop) w.top = w.kernel_y / 2;
  } else {
    w.left = average_pad(x.dims[3], y.dims[3], w.kernel_x, w.stride);
    w.top = average_pad(x.dims[2], y.dims[2], w.kernel_y, w.stride);
  }
  return w;
}

/// One plane as FP32 -> one plane.
void pool_plane(const HwOp& op, const PoolWindow& w, bool exclude_pad, const std::vector<float>& in, int64_t height, int64_t width, std::vector<float>& out, int64_t out_height, int64_t out_width) {
  const bool max = op.pool_type == HwPoolType::Max;
  // The unit multiplies by an FP16 reciprocal of the whole kernel's area, whatever the model says of its pads.
  const float factor = half_to_float(float_to_half(1.0f / static_cast<float>(w.kernel_x * w.kernel_y)));
  for (int64_t oy = 0; oy < out_height; ++oy)
    for (int64_t ox = 0; ox < out_width; ++ox) {
      const int64_t y0 = oy * w.stride - w.top, x0 = ox * w.stride - w.left;
      const int64_t ya = std::max<int64_t>(y0, 0), yb = std::min(y0 + w.kernel_y, height), xa = std::max<int64_t>(x0, 0), xb = std::min(x0 + w.kernel_x, width);
      float v = max ? -std::numeric_limits<float>::infinity() : 0.0f;
      for (int64_t y = ya; y < yb; ++y)
        for (int64_t x = xa; x < xb; ++x) {
          const float e = in[static_cast<size_t>(y * width + x)];
          v = max ? std::max(v, e) : v + e;
        }
      if (!max) {
        v *= factor;
        const int64_t inside = std::max<int64_t>(0, yb - ya) * std::max<int64_t>(0, xb - xa);
        if (exclude_pad) v *= static_cast<float>(w.kernel_x * w.kernel_y) / static_cast<float>(std::max<int64_t>(inside, 1));
      }
      out[static_cast<size_t>(oy * out_width + ox)] = v;
    }
}

void touch_pool(StageRun& s, const HwOp& op, const PoolWindow& w, Grid x, const Grid& y, int64_t first, int64_t last) {
  if (!s.checks_memory()) return;
  x.dims[2] = reach(x.dims[2], y.dims[2], w.kernel_y, w.stride, w.top);
  x.dims[3] = reach(x.dims[3], y.dims[3], w.kernel_x, w.stride, w.left);
  for (int64_t q = first; q < last; ++q)
    for (const bool write : {false, true}) {
      const Grid& g = write ? y : x;
      s.touch({write ? op.output_index : op.input_index, write, true, slice(slice(g, 0, q / y.dims[1], 1), 1, q % y.dims[1], 1)});
    }
}

void run_pool(StageRun& s, const HwOp& op) {
  const Grid x = planes(s.in_parts(op.input_index)), y = planes(s.out_parts(op.output_index));
  Window{op.kernel_width, op.kernel_height, op.kernel_stride, op.kernel_stride}.check();
  s.check(x.dims[0] == y.dims[0] && x.dims[1] >= y.dims[1], "a pool between different channels");
  const PoolWindow w = pool_window(op, x, y);
  Finish activation;
  set_activation(op, activation);
  const int64_t first = op.out_channel_offset, last = std::min<int64_t>(first + op.out_channels, y.dims[0] * y.dims[1]);
  touch_pool(s, op, w, x, y, first, last);
  s.pool().run(std::max<int64_t>(last - first, 0), [&](int64_t task) {
    const int64_t n = (first + task) / y.dims[1], channel = (first + task) % y.dims[1];
    Grid from{x.data + n * x.strides[0] + channel * x.strides[1], x.type}, to{y.data + n * y.strides[0] + channel * y.strides[1], y.type};
    for (size_t k = 2; k < 4; ++k) {
      from.push(x.dims[k], x.strides[k]);
      to.push(y.dims[k], y.strides[k]);
    }
    std::vector<float> out(static_cast<size_t>(to.count()));
    pool_plane(op, w, s.options().avg_exclude_pad, read_floats(from), x.dims[2], x.dims[3], out, y.dims[2], y.dims[3]);
    if (activation.relu || activation.clamp) compute::finish(activation, out.data(), to.count());
    write_floats(to, out.data());
  });
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
  s.check((bias.empty() || static_cast<int64_t>(bias.size()) >= last) && (scale.empty() || static_cast<int64_t>(scale.size()) >= last), "fewer biases or scales than outputs");
  const std::vector<float> weights = read_floats(memory_order(k));  // [group][input][1][8]
  const int64_t begin = op.fc_input_offset, end = std::min({begin + int64_t{op.fc_inputs}, static_cast<int64_t>(x.size()), k.dims[2]});
  std::vector<float>& sums = partial[op.fc_output_offset];
  sums.resize(static_cast<size_t>(last - first));
  Finish f;
  set_activation(op, f);
  for (int64_t o = first; o < last; ++o) {
    float& sum = sums[static_cast<size_t>(o - first)];
    for (int64_t i = begin; i < end; ++i) sum += x[static_cast<size_t>(i)] * weights[static_cast<size_t>((o / kGroup * k.dims[2] + i) * kGroup + o % kGroup)];
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

}  // namespace

void run_hardware(StageRun& s) {
  PlanesCache cache;
  PartialSums partial;
  for (const HwOp& op : s.params<vpu::HwOpParams>().ops) {
    switch (op.type) {
      case HwOpType::Conv:
      case HwOpType::ConvPool: run_convolution(s, op, cache); break;
      case HwOpType::Pool: run_pool(s, op); break;
      case HwOpType::FullyConnected: run_fully_connected(s, op, partial); break;
      default: s.check(false, "an unknown hardware operation");
    }
  }
}

}  // namespace blobsmith::emulator
