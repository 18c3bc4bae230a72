// Convolutions and deconvolutions that run on the SHAVEs (execution spec §5).
#include <algorithm>
#include <cstring>

#include "core/float16.hpp"
#include "emulator/convolution.hpp"
#include "emulator/kernels/shared.hpp"
#include "emulator/pool_plane.hpp"
#include "vpu/format/convolution.hpp"

namespace blobsmith::emulator {
namespace {

using enum vpu::StageType;

Window window_of(const vpu::ConvParams& p) {
  const Window w = p.window();
  check_window(w);
  return w;
}

/// How far apart stored weights are, in elements.
struct WeightStrides {
  int64_t output, input, element;
};

/// Groups of 8 output channels in the engine's layout, for `count` channels of one.
template <class Count>
void arrange_group(const uint8_t* from, int64_t inputs, int64_t area, const WeightStrides& strides, Count count,
                   Half* to) {
  for (int64_t ic = 0; ic < inputs; ++ic)
    for (int64_t e = 0; e < area; ++e, to += kGroup) {
      const uint8_t* at = from + 2 * (ic * strides.input + e * strides.element);
      for (int64_t m = 0; m < count; ++m, at += 2 * strides.output) std::memcpy(to + m, at, sizeof(Half));
    }
}

/// Which of the layouts a stage's weights have.
WeightStrides dense_strides(StageRun& s, const vpu::ConvParams& p, const View& x, const View& w) {
  const int64_t area = w.dims[0], inputs = w.dims[1], outputs = w.dims[2];
  const bool channels_inside = x.order.position(Dim::C) == 0, pointwise = p.kernel_x == 1 && p.kernel_y == 1;
  const bool spatial =
      p.kernel_x % 2 == 1 && p.kernel_x >= 3 && p.kernel_x <= 11 && p.kernel_y != 1 && inputs * outputs <= 256;
  if (channels_inside && s.type() == Conv && spatial) return {1, outputs, outputs * inputs};
  if (pointwise) return {inputs, 1, 0};
  if (channels_inside && s.type() == Im2ColConvolution) return {inputs * area, 1, inputs};
  return {inputs, 1, inputs * outputs};
}

void convolve_batch(StageRun& s, const Grid& x, const Grid& y, Convolution& c) {
  s.check(x.dims[0] == y.dims[0], "input and output of different batch");
  c.last = y.dims[1];
  c.fp16_sums = s.options().arithmetic.fp16_sums;
  for (int64_t n = 0; n < y.dims[0]; ++n) convolve(s.pool(), s.planes_cache(), at_index(x, 0, n), c, at_index(y, 0, n));
}

void run_software_convolution(StageRun& s) {
  const auto& p = s.params<vpu::ConvParams>();
  const View input = s.in(0), w = s.in(2);
  const Grid x = planes(input), y = planes(s.out(1));
  Convolution c;
  c.window = window_of(p);
  s.check(w.rank == 3 && w.dims[0] == c.window.area() && w.dims[1] <= x.dims[1] && w.dims[2] == y.dims[1],
          "weights of an unexpected shape");
  const int64_t area = w.dims[0], inputs = w.dims[1], outputs = w.dims[2];
  const CompactHalves stored(s, w, outputs * inputs * area);
  const WeightStrides strides = dense_strides(s, p, input, w);
  c.arrange = [&](int64_t group, Half* to) {
    const int64_t channels = outputs - group * kGroup;
    const uint8_t* from = stored.data() + 2 * group * kGroup * strides.output;
    const bool of_picture = inputs == 3 && strides.input == 1 && strides.output == 3;  // often the largest kernels
    if (channels >= kGroup && of_picture)
      return compute::separate_three(from, 2 * strides.element, area, to, area * kGroup);
    if (channels >= kGroup)
      return arrange_group(from, inputs, area, strides, std::integral_constant<int64_t, kGroup>(), to);
    std::fill_n(to, inputs * area * kGroup, Half{0});
    arrange_group(from, inputs, area, strides, channels, to);
  };
  c.input_channels = inputs;
  convolve_batch(s, x, y, c);
}

// Each group of 8 channels is a dense 8x8 kernel with zeros off the diagonal.
void run_depth_convolution(StageRun& s) {
  const Grid x = planes(s.in(0)), y = planes(s.out(1));
  Convolution c;
  c.window = window_of(s.params<vpu::ConvParams>());
  const int64_t channels = y.dims[1], area = c.window.area();
  s.check(x.dims[1] == channels, "a depthwise convolution between different channels");
  const CompactHalves stored(s, s.in(2), channels * area);
  c.arrange = [&](int64_t group, Half* to) {
    std::fill_n(to, kGroup * area * kGroup, Half{0});
    for (int64_t m = 0; m < std::min(kGroup, channels - group * kGroup); ++m)
      for (int64_t e = 0; e < area; ++e)
        std::memcpy(to + (m * area + e) * kGroup + m, stored.data() + 2 * (group * kGroup + m + channels * e),
                    sizeof(Half));
  };
  c.input_channels = c.input_step = kGroup;
  convolve_batch(s, x, y, c);
}

// Every input value, times the kernel, is added to the output around its place. Stored kernels are flipped.
void run_deconvolution(StageRun& s) {
  const auto& p = s.params<vpu::DeconvParams>();
  const View input = s.in(0);
  const Grid in = planes(input), out = planes(s.out(1));
  check_window(p.window());
  const int64_t channels_in = in.dims[1], height = in.dims[2], width = in.dims[3], channels = out.dims[1],
                out_height = out.dims[2], out_width = out.dims[3];
  const int64_t area = int64_t{p.kernel_x} * p.kernel_y;
  const bool depthwise = s.type() == DepthDeconv, channels_inside = input.order.position(Dim::C) == 0;
  s.check(in.dims[0] == out.dims[0] && (!depthwise || channels_in == channels), "input and output that don't fit");
  const CompactHalves stored(s, s.in(2), area * channels * (depthwise ? 1 : channels_in));
  const auto weight_of = [&](int64_t oc, int64_t ic, int64_t e) {
    const int64_t flipped = area - 1 - e;
    const int64_t place = !depthwise        ? ic + channels_in * (oc + channels * flipped)
                          : channels_inside ? oc + channels * flipped
                                            : flipped + area * oc;
    Half h;
    std::memcpy(&h, stored.data() + 2 * place, sizeof h);
    return half_to_float(h);
  };
  s.pool().run(out.dims[0] * channels, [&](int64_t task) {
    const int64_t n = task / channels, oc = task % channels;
    std::vector<float> plane(static_cast<size_t>(out_height * out_width)), row(static_cast<size_t>(width)),
        kernel(static_cast<size_t>(area));
    for (int64_t ic = depthwise ? oc : 0, end = depthwise ? oc + 1 : channels_in; ic < end; ++ic) {
      for (int64_t e = 0; e < area; ++e) kernel[static_cast<size_t>(e)] = weight_of(oc, ic, e);
      const Grid from = plane_at(in, n, ic);
      for (int64_t iy = height; iy-- > 0;) {  // so that the elements of the kernel are added in their order
        const int64_t top = iy * p.stride_y - p.pad_top;
        const Span rows = cut(top, p.kernel_y, 0, out_height);
        if (rows.length() == 0) continue;
        load_row(from.data + iy * from.strides[0], from.strides[1], from.type, width, row.data());
        for (int64_t oy = rows.begin; oy < rows.end; ++oy)
          for (int64_t kx = 0; kx < p.kernel_x; ++kx) {
            const float weight = kernel[static_cast<size_t>((oy - top) * p.kernel_x + kx)];
            float* to = plane.data() + oy * out_width;
            for (int64_t ix = 0; ix < width; ++ix) {
              const int64_t ox = ix * p.stride_x - p.pad_left + kx;
              if (ox >= 0 && ox < out_width) to[ox] += row[static_cast<size_t>(ix)] * weight;
            }
          }
      }
    }
    write_floats(plane_at(out, n, oc), plane.data());
  });
}

// Lists start with X; weights have the dimensions [kernel..., input channels of a group, output channels].
void run_convolution_nd(StageRun& s) {
  const auto& p = s.params<vpu::ConvNDParams>();
  const size_t n = p.strides.size();
  s.check(n >= 1 && n <= 3 && p.pads_begin.size() == n && p.dilations.size() == n && p.groups > 0,
          "lists of different length");
  const Grid in = volumes(s.in(0)), out = volumes(s.out(1));
  const View weights = s.in(2);
  s.check(weights.rank == static_cast<int>(n) + 2, "weights of an unexpected shape");
  std::array<int64_t, 3> kernel{1, 1, 1}, stride{1, 1, 1}, dilation{1, 1, 1}, pad{};  // X, Y, Z
  for (size_t k = 0; k < n; ++k) {
    kernel[k] = weights.dims[k];
    stride[k] = p.strides[k];
    dilation[k] = p.dilations[k];
    pad[k] = p.pads_begin[k];
    check_window(axis_window(kernel[k], stride[k], pad[k], dilation[k]));
  }
  const int64_t group_inputs = weights.dims[n], channels = out.dims[1], group_outputs = channels / p.groups;
  s.check(weights.dims[n + 1] == channels && group_outputs > 0 && group_inputs * p.groups <= in.dims[1] &&
              in.dims[0] == out.dims[0],
          "weights that don't fit");
  const Grid stored = memory_order(weights);
  const std::vector<float> bias =
      s.has(3) ? read_floats(memory_order(s.in(3))) : std::vector<float>(static_cast<size_t>(channels));
  s.check(static_cast<int64_t>(bias.size()) >= channels, "fewer biases than channels");
  const int64_t depth = out.dims[2], height = out.dims[3], width = out.dims[4], volume = depth * height * width,
                area = kernel[0] * kernel[1] * kernel[2];
  s.pool().run(out.dims[0] * channels, [&](int64_t task) {
    const int64_t item = task / channels, oc = task % channels, first_input = oc / group_outputs * group_inputs;
    const std::vector<float> w = read_floats(at_index(stored, 0, oc));
    std::vector<float> sums(static_cast<size_t>(volume), bias[static_cast<size_t>(oc)]);
    for (int64_t ic = 0; ic < group_inputs; ++ic) {
      const std::vector<float> x = read_floats(plane_at(in, item, first_input + ic));
      for (int64_t v = 0; v < volume; ++v) {
        const int64_t oz = v / (height * width), oy = v / width % height, ox = v % width;
        for (int64_t e = 0; e < area; ++e) {
          const int64_t kx = e % kernel[0], ky = e / kernel[0] % kernel[1], kz = e / (kernel[0] * kernel[1]);
          const int64_t ix = ox * stride[0] - pad[0] + kx * dilation[0],
                        iy = oy * stride[1] - pad[1] + ky * dilation[1],
                        iz = oz * stride[2] - pad[2] + kz * dilation[2];
          if (ix < 0 || iy < 0 || iz < 0 || ix >= in.dims[4] || iy >= in.dims[3] || iz >= in.dims[2]) continue;
          sums[static_cast<size_t>(v)] +=
              x[static_cast<size_t>((iz * in.dims[3] + iy) * in.dims[4] + ix)] * w[static_cast<size_t>(ic * area + e)];
        }
      }
    }
    write_floats(plane_at(out, item, oc), sums.data());
  });
}

constexpr KernelRow kRows[] = {
    {StageType::Conv, run_software_convolution},
    {StageType::Im2ColConvolution, run_software_convolution},
    {StageType::RefConvolution, run_software_convolution},
    {StageType::DepthConv, run_depth_convolution},
    {StageType::Deconvolution, run_deconvolution},
    {StageType::DepthDeconv, run_deconvolution},
    {StageType::ConvND, run_convolution_nd},
};

}  // namespace

std::span<const KernelRow> software_convolution_kernels() { return kRows; }

}  // namespace blobsmith::emulator
