// SoftMax, LRN, Normalize, GRN, MVN (execution spec §6).
#include "vpu/format/normalization.hpp"

#include <cmath>

#include "core/float16.hpp"
#include "emulator/kernels/shared.hpp"

namespace blobsmith::emulator {
namespace {

void run_softmax(StageRun& s) {
  const View in = s.in(0), out = s.out(1);
  const int position = s.params<vpu::SoftMaxParams>().axis;
  s.check(position >= 0 && position < in.rank && in.order == out.order && in.dims == out.dims,
          "an axis outside its tensor");
  const Grid g = memory_order(in);
  const int axis = g.rank - 1 - position;
  map_parts(s, g, memory_order(out), axis_bit(axis), 32, [&](std::vector<float>& v, const Sizes& dims) {
    const int64_t outer = product(dims, 0, axis), size = dims[static_cast<size_t>(axis)],
                  inner = product(dims, axis + 1, g.rank);
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        float* at = v.data() + o * size * inner + i;
        float top = at[0], sum = 0;
        for (int64_t k = 1; k < size; ++k) top = std::max(top, at[k * inner]);
        for (int64_t k = 0; k < size; ++k) sum += at[k * inner] = std::exp(at[k * inner] - top);
        for (int64_t k = 0; k < size; ++k) at[k * inner] /= sum;
      }
  });
}

/// Sums of squares over the window of LRN around every element of volumes [C][D][H][W].
std::vector<float> window_sums(const std::vector<float>& values, const Sizes& dims, int64_t size,
                               bool across_channels) {
  const int64_t channels = dims[1], depth = dims[2], height = dims[3], width = dims[4], plane = height * width,
                volume = depth * plane, half = size / 2;
  std::vector<float> sums(values.size());
  const auto square = [&](int64_t i) { return values[static_cast<size_t>(i)] * values[static_cast<size_t>(i)]; };
  for (int64_t i = 0; i < static_cast<int64_t>(values.size()); ++i) {
    const int64_t item = i / (channels * volume), c = i / volume % channels, z = i / plane % depth,
                  y = i / width % height, x = i % width;
    float sum = 0;
    if (across_channels) {
      for (int64_t k = std::max<int64_t>(c - half, 0); k < std::min(c - half + size, channels); ++k)
        sum += square((item * channels + k) * volume + i % volume);
    } else {
      for (int64_t d = std::max<int64_t>(z - half, 0); d <= std::min(z + half, depth - 1); ++d)
        for (int64_t b = std::max<int64_t>(y - half, 0); b <= std::min(y + half, height - 1); ++b)
          for (int64_t a = std::max<int64_t>(x - half, 0); a <= std::min(x + half, width - 1); ++a)
            sum += square(i / volume * volume + d * plane + b * width + a);
    }
    sums[static_cast<size_t>(i)] = sum;
  }
  return sums;
}

void run_lrn(StageRun& s) {
  const auto& p = s.params<vpu::LrnParams>();
  const View tensor = s.in(0);
  const bool across_channels = s.type() == StageType::LRN;
  s.check(p.size >= 1 && p.size < 65536, "a window without size");
  const float k = half_to_float(p.k), alpha = half_to_float(p.alpha), beta = half_to_float(p.beta);
  const int axes = across_channels ? 1 : tensor.order.position(Dim::D) >= 0 ? 3 : 2;
  const float area = std::pow(static_cast<float>(p.size), static_cast<float>(axes));
  const unsigned whole = across_channels ? axis_bit(1) : axis_bit(2) | axis_bit(3) | axis_bit(4);
  map_parts(s, volumes(tensor), volumes(s.out(1)), whole, 32 + p.size, [&](std::vector<float>& x, const Sizes& dims) {
    const std::vector<float> sums = window_sums(x, dims, p.size, across_channels);
    for (size_t i = 0; i < x.size(); ++i) x[i] *= std::pow(k + alpha * sums[i] / area, -beta);
  });
}

void run_normalize(StageRun& s) {
  const auto& p = s.params<vpu::NormalizeParams>();
  const Grid in = planes(s.in(0));
  const std::vector<float> scale = read_floats(memory_order(s.in(2)));
  s.check(!scale.empty() && (p.channel_shared || static_cast<int64_t>(scale.size()) >= in.dims[1]),
          "fewer scales than channels");
  const unsigned whole = p.across_spatial ? axis_bit(1) | axis_bit(2) | axis_bit(3) : axis_bit(1);
  map_parts(s, in, planes(s.out(1)), whole, 8, [&](std::vector<float>& x, const Sizes& dims) {
    const int64_t channels = dims[1], plane = dims[2] * dims[3];
    for (int64_t n = 0; n < dims[0]; ++n) {
      float* item = x.data() + n * channels * plane;
      std::vector<float> sums(static_cast<size_t>(plane));
      for (int64_t i = 0; i < channels * plane; ++i)
        sums[static_cast<size_t>(p.across_spatial ? 0 : i % plane)] += item[i] * item[i];
      for (int64_t i = 0; i < channels * plane; ++i)
        item[i] = item[i] / std::sqrt(sums[static_cast<size_t>(p.across_spatial ? 0 : i % plane)] + p.eps) *
                  scale[static_cast<size_t>(p.channel_shared ? 0 : i / plane)];
    }
  });
}

void run_grn(StageRun& s) {
  map_parts(s, planes(s.in(0)), planes(s.out(1)), axis_bit(1), 8, [&](std::vector<float>& x, const Sizes& dims) {
    const int64_t item = dims[1] * dims[2] * dims[3], plane = dims[2] * dims[3];
    for (int64_t n = 0; n < dims[0]; ++n) {
      std::vector<float> sums(static_cast<size_t>(plane), s.params<vpu::GrnParams>().bias);
      float* at = x.data() + n * item;
      for (int64_t i = 0; i < item; ++i) sums[static_cast<size_t>(i % plane)] += at[i] * at[i];
      for (int64_t i = 0; i < item; ++i) at[i] /= std::sqrt(sums[static_cast<size_t>(i % plane)]);
    }
  });
}

// Statistics over W, H and D; with across_channels C too; with across_width only over W.
void run_mvn(StageRun& s) {
  const auto& p = s.params<vpu::MvnParams>();
  Grid in = volumes(s.in(0)), out = volumes(s.out(1));
  if (p.across_channels && p.across_width) {  // C inside, so that what is averaged lies together
    for (Grid* g : {&in, &out})
      for (size_t k = 1; k < 3; ++k) {
        std::swap(g->dims[k], g->dims[k + 1]);
        std::swap(g->strides[k], g->strides[k + 1]);
      }
  }
  const int first = p.across_channels ? (p.across_width ? 3 : 1) : p.across_width ? 4 : 2;
  unsigned whole = 0;
  for (int axis = first; axis < 5; ++axis) whole |= axis_bit(axis);
  map_parts(s, in, out, whole, 8, [&](std::vector<float>& x, const Sizes& dims) {
    const int64_t size = product(dims, first, 5);
    for (float *at = x.data(), *end = at + x.size(); at < end; at += size) {
      const auto mean =
          static_cast<float>(sum_in_lanes<double>(at, size, [](float v) { return v; }) / static_cast<double>(size));
      for (int64_t i = 0; i < size; ++i) at[i] -= mean;
      if (!p.normalize) continue;
      const float divisor = std::sqrt(static_cast<float>(sum_in_lanes<double>(at, size, [](float v) { return v * v; }) /
                                                         static_cast<double>(size))) +
                            p.eps;
      for (int64_t i = 0; i < size; ++i) at[i] /= divisor;
    }
  });
}

constexpr KernelRow kRows[] = {
    {StageType::SoftMax, run_softmax},     {StageType::LRN, run_lrn}, {StageType::InnerLRN, run_lrn},
    {StageType::Normalize, run_normalize}, {StageType::GRN, run_grn}, {StageType::MVN, run_mvn},
};

}  // namespace

std::span<const KernelRow> normalization_kernels() { return kRows; }

}  // namespace blobsmith::emulator
