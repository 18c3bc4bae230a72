// Convolutions, transposed ones, grouped ones: unrolled into matrix products (opset 1).
#include <algorithm>

#include "compute/matrix_product.hpp"
#include "reference/axes.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

using compute::kGroup;
using compute::kSlack;

int64_t volume(const Axes& a) { return a[0] * a[1] * a[2]; }

/// A convolution's sizes. `large` is the plane that the windows lie on: the input, or the output of a transposed one.
struct Sizes {
  int64_t batch, groups, inputs, outputs;  ///< channels per group
  Axes kernel, strides, dilations, pads, large, small;

  int64_t window() const { return volume(kernel); }
};

std::span<const int64_t> spatial(const Shape& s, size_t axes) { return std::span(s).last(axes); }

Sizes read_sizes(const Call& c, bool transposed) {
  const Shape &x = c.shape(0), &w = c.shape(1), &y = c.out_shape();
  const size_t axes = x.size() - 2;
  const bool grouped = w.size() > x.size();
  Sizes s;
  s.batch = x[0];
  s.groups = grouped ? w[0] : 1;
  s.inputs = x[1] / std::max<int64_t>(s.groups, 1);
  s.outputs = y[1] / std::max<int64_t>(s.groups, 1);
  s.kernel = filled_up(spatial(w, axes), 1);
  s.strides = filled_up(c.attrs().integers("strides"), 1);
  s.dilations = filled_up(c.attrs().integers("dilations"), 1);
  s.pads = filled_up(c.attrs().integers("pads_begin"), 0);
  s.large = filled_up(spatial(transposed ? y : x, axes), 1);
  s.small = filled_up(spatial(transposed ? x : y, axes), 1);
  return s;
}

/// Calls f(element of the kernel, position in the small plane, position in the large one) where the latter exists, for
/// the small positions [first, last).
template <class F>
void for_each_touch(const Sizes& s, int64_t first, int64_t last, F f) {
  int64_t element = 0;
  for (int64_t kz = 0; kz < s.kernel[0]; ++kz)
    for (int64_t ky = 0; ky < s.kernel[1]; ++ky)
      for (int64_t kx = 0; kx < s.kernel[2]; ++kx, ++element)
        for (int64_t p = first; p < last; ++p) {
          const int64_t z = p / (s.small[1] * s.small[2]) * s.strides[0] - s.pads[0] + kz * s.dilations[0];
          const int64_t y = p / s.small[2] % s.small[1] * s.strides[1] - s.pads[1] + ky * s.dilations[1];
          const int64_t x = p % s.small[2] * s.strides[2] - s.pads[2] + kx * s.dilations[2];
          const bool inside = z >= 0 && z < s.large[0] && y >= 0 && y < s.large[1] && x >= 0 && x < s.large[2];
          f(element, p - first, inside ? (z * s.large[1] + y) * s.large[2] + x : int64_t{-1});
        }
}

/// Rows of 8 output channels side by side, as `accumulate` reads them; a single row as it is, for `accumulate_one`.
std::vector<float> packed_rows(const float* weights, int64_t rows, int64_t columns) {
  if (rows == 1) return {weights, weights + columns};
  std::vector<float> packed(static_cast<size_t>((rows + kGroup - 1) / kGroup * kGroup * columns));
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < columns; ++k)
      packed[static_cast<size_t>((r / kGroup * columns + k) * kGroup + r % kGroup)] = weights[r * columns + k];
  return packed;
}

/// Positions that are unrolled at a time, so that they stay in the cache.
int64_t block_of(int64_t elements) {
  return std::clamp<int64_t>((int64_t{1} << 18) / std::max<int64_t>(elements, 1), 48, 1024);
}

struct Block {
  const Sizes& s;
  int64_t first, last;
  const std::vector<int64_t>&
      source;  ///< by element of the kernel and position: where in a plane of the input; -1: padding
};

void convolve_block(const Block& b, const float* x, const std::vector<float>& packed, float* y) {
  const Sizes& s = b.s;
  const int64_t count = b.last - b.first, plane = volume(s.large), out_plane = volume(s.small),
                elements = s.inputs * s.window();
  const int64_t pitch = (count + kSlack + 7) / 8 * 8;
  std::vector<float> unrolled(static_cast<size_t>(elements * count + kSlack)),
      sums(static_cast<size_t>(pitch * kGroup + kSlack));
  std::vector<int32_t> offsets(static_cast<size_t>(elements));
  for (int64_t e = 0; e < elements; ++e) {
    offsets[static_cast<size_t>(e)] = static_cast<int32_t>(e * count);
    const float* from = x + e / s.window() * plane;
    const int64_t* source = b.source.data() + e % s.window() * count;
    float* to = unrolled.data() + e * count;
    for (int64_t p = 0; p < count; ++p) to[p] = source[p] < 0 ? 0.0F : from[source[p]];
  }
  for (int64_t r = 0; r < s.outputs; r += kGroup) {
    const int64_t rows = std::min(kGroup, s.outputs - r);
    if (s.outputs == 1)
      compute::accumulate_one(packed.data(), unrolled.data(), offsets.data(), elements, sums.data(), count);
    else
      compute::accumulate(packed.data() + r * elements, unrolled.data(), offsets.data(), elements, sums.data(), pitch,
                          count);
    for (int64_t m = 0; m < rows; ++m) std::copy_n(sums.data() + m * pitch, count, y + (r + m) * out_plane + b.first);
  }
}

Outputs run_convolution(const Call& c) {
  const Sizes s = read_sizes(c, false);
  const int64_t positions = volume(s.small), elements = s.inputs * s.window(), step = block_of(elements),
                blocks = (positions + step - 1) / step;
  std::vector<float> y(static_cast<size_t>(c.out_count()));
  const float *x = c.floats(0).data(), *w = c.floats(1).data();
  std::vector<std::vector<float>> packed;
  for (int64_t g = 0; g < s.groups; ++g)
    packed.push_back(packed_rows(w + g * s.outputs * elements, s.outputs, elements));
  c.pool().run(blocks, [&](int64_t k) {
    const int64_t first = k * step, last = std::min(first + step, positions);
    std::vector<int64_t> source(static_cast<size_t>(s.window() * (last - first)));
    for_each_touch(s, first, last,
                   [&](int64_t e, int64_t p, int64_t at) { source[static_cast<size_t>(e * (last - first) + p)] = at; });
    for (int64_t i = 0; i < s.batch * s.groups; ++i)
      convolve_block({s, first, last, source}, x + i * s.inputs * volume(s.large),
                     packed[static_cast<size_t>(i % s.groups)], y.data() + i * s.outputs * positions);
  });
  return {float_tensor(c.out_shape(), std::move(y))};
}

/// One group of one item: every input position adds its share to the window of outputs around it.
void transposed_group(const Call& c, const Sizes& s, const float* x, const float* w, float* y) {
  const int64_t positions = volume(s.small), rows = s.outputs * s.window(), plane = volume(s.large);
  std::vector<float> transposed(static_cast<size_t>(rows * s.inputs)), input(x, x + s.inputs * positions),
      shares(static_cast<size_t>(rows * positions));
  for (int64_t i = 0; i < s.inputs; ++i)
    for (int64_t r = 0; r < rows; ++r) transposed[static_cast<size_t>(r * s.inputs + i)] = w[i * rows + r];
  input.resize(input.size() + kSlack);
  compute::matrix_product(c.pool(), transposed.data(), input.data(), shares.data(), rows, s.inputs, positions);
  for_each_touch(s, 0, positions, [&](int64_t e, int64_t p, int64_t at) {
    if (at < 0) return;
    for (int64_t o = 0; o < s.outputs; ++o)
      y[o * plane + at] += shares[static_cast<size_t>((o * s.window() + e) * positions + p)];
  });
}

Outputs run_transposed(const Call& c) {
  const Sizes s = read_sizes(c, true);
  std::vector<float> y(static_cast<size_t>(c.out_count()));
  for (int64_t i = 0; i < s.batch * s.groups; ++i)
    transposed_group(c, s, c.floats(0).data() + i * s.inputs * volume(s.small),
                     c.floats(1).data() + i % s.groups * s.inputs * s.outputs * s.window(),
                     y.data() + i * s.outputs * volume(s.large));
  return {float_tensor(c.out_shape(), std::move(y))};
}

constexpr OperationRow kOperations[] = {
    {"Convolution", kAnyVersion, run_convolution},
    {"GroupConvolution", kAnyVersion, run_convolution},
    {"ConvolutionBackpropData", kAnyVersion, run_transposed},
    {"GroupConvolutionBackpropData", kAnyVersion, run_transposed},
};

}  // namespace

std::span<const OperationRow> convolution_operations() { return kOperations; }

}  // namespace blobsmith::reference
