#include "emulator/convolution.hpp"

#include <algorithm>
#include <memory>

#include "core/float16.hpp"

namespace blobsmith::emulator {

using compute::kSlack;
using compute::PackedRows;

namespace {

constexpr int64_t kMaxFloats = int64_t{1} << 28;
constexpr int64_t kChunkPixels = 2048;  // a group's sums stay in the cache
constexpr int64_t kFewPixels = 8;

int64_t elements_of(const Convolution& c) { return c.input_channels * c.window.kernel_x * c.window.kernel_y; }

PackedGroup pack_group(const Convolution& c, int64_t group) {
  const int64_t k = elements_of(c);
  PackedGroup g;
  g.weights = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(k * kGroup));
  g.elements = std::make_unique_for_overwrite<int32_t[]>(static_cast<size_t>(k));
  const PackedRows packed = compute::pack_weights(static_cast<const uint8_t*>(c.weights) + group * k * kGroup * 2, k, g.weights.get(), g.elements.get());
  g.count = packed.rows;
  g.sparse = packed.zeros * 3 >= packed.rows * kGroup * 2;
  return g;
}

/// A group's weights and where their rows lie in `x`.
struct PlacedGroup {
  PackedGroup own;
  const PackedGroup* group;
  std::unique_ptr<int32_t[]> own_offsets;
  const int32_t* offsets;
  int64_t count = 0;

  PlacedGroup(const ShiftedPlanes& x, const Convolution& c, int64_t index, const PackedWeights& packed) : group(packed.find(index)) {
    if (!group) {
      own = pack_group(c, index);
      group = &own;
    }
    const int64_t area = c.window.kernel_x * c.window.kernel_y, first = index * c.input_step * area, available = x.channels() * area - first;
    if (group->count == elements_of(c) && group->count <= available) {  // nothing was left out
      offsets = x.offsets() + first;
      count = group->count;
      return;
    }
    own_offsets = std::make_unique_for_overwrite<int32_t[]>(static_cast<size_t>(group->count));
    offsets = own_offsets.get();
    for (; count < group->count; ++count) {
      const int32_t element = group->elements[static_cast<size_t>(count)];
      if (element >= available) break;
      own_offsets[static_cast<size_t>(count)] = x.offsets()[first + element];
    }
  }
};

void sum_channel(const PlacedGroup& g, int64_t m, const float* x, float* out, int64_t pixels) {
  std::vector<float> weights;
  std::vector<int32_t> offsets;
  for (int64_t i = 0; i < g.count; ++i) {
    const float w = g.group->weights[static_cast<size_t>(i * kGroup + m)];
    if (w == 0) continue;
    weights.resize(weights.size() + kGroup);
    weights[weights.size() - kGroup] = w;
    offsets.push_back(g.offsets[i]);
  }
  compute::accumulate(1, weights.data(), x, offsets.data(), static_cast<int64_t>(offsets.size()), out, 0, pixels);
}

/// Two rows of the unpooled plane -> one of the pooled.
void pool_rows(const float* upper, const float* lower, float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = std::max(std::max(upper[2 * i], upper[2 * i + 1]), std::max(lower[2 * i], lower[2 * i + 1]));
}

void store_rows(const Convolution& c, int64_t channel, int64_t first_row, int64_t rows, const float* values, int64_t pitch) {
  uint8_t* plane = c.y.data + channel * c.y.strides[0];
  const int64_t width = c.y.dims[2];
  if (!c.pool) {
    for (int64_t r = 0; r < rows; ++r) store_row(values + r * pitch, plane + (first_row + r) * c.y.strides[1], c.y.strides[2], c.y.type, width);
    return;
  }
  std::vector<float> pooled(static_cast<size_t>(width));
  for (int64_t r = 0; r < rows; r += 2) {
    pool_rows(values + r * pitch, values + (r + 1) * pitch, pooled.data(), width);
    store_row(pooled.data(), plane + (first_row + r) / 2 * c.y.strides[1], c.y.strides[2], c.y.type, width);
  }
}

/// Calls sum(first, count, to) for all rows of weights at once, or channel by channel with an FP16 sum between.
template <class F>
void sum_rows(const Convolution& c, int64_t rows, float* out, int64_t n, F sum) {
  if (!c.fp16_sums) return sum(0, rows, out);
  const int64_t area = c.window.kernel_x * c.window.kernel_y;
  std::vector<float> part(static_cast<size_t>(n));
  std::fill_n(out, n, 0.0f);
  for (int64_t first = 0; first < rows; first += area) {
    sum(first, std::min(area, rows - first), part.data());
    for (int64_t i = 0; i < n; ++i) out[i] = half_to_float(float_to_half(out[i] + part[static_cast<size_t>(i)]));
  }
}

/// Rows [begin, end) of the unpooled plane, for the 8 channels of a group.
void convolve_rows(const ShiftedPlanes& x, const Convolution& c, const PackedWeights& packed, int64_t group, int64_t begin, int64_t end, int64_t width) {
  const PlacedGroup g(x, c, group, packed);
  const int64_t pixels = (end - begin - 1) * x.pitch() + width, out_pitch = (pixels + kSlack + 7) / 8 * 8;
  const auto sums = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(out_pitch * kGroup + kSlack));
  const float* at = x.data() + begin * x.pitch();
  if (!g.group->sparse)
    sum_rows(c, g.count, sums.get(), out_pitch * kGroup,
             [&](int64_t first, int64_t rows, float* to) { compute::accumulate(kGroup, g.group->weights.get() + first * kGroup, at, g.offsets + first, rows, to, out_pitch, pixels); });
  for (int64_t m = 0; m < kGroup; ++m) {
    const int64_t channel = group * kGroup + m;
    if (channel < c.first || channel >= c.last) continue;
    float* row = sums.get() + m * out_pitch;
    if (g.group->sparse) sum_channel(g, m, at, row, pixels);
    compute::finish(c.finish(channel), row, pixels);
    store_rows(c, channel, begin, end - begin, row, x.pitch());
  }
}

/// Planes of at most kFewPixels elements: vectors run over the output channels instead, and each weight is needed so rarely
/// that it is taken as it lies.
void convolve_few_pixels(const ShiftedPlanes& x, const Convolution& c, int64_t group, int64_t height, int64_t width) {
  const int64_t area = c.window.kernel_x * c.window.kernel_y, skipped = group * c.input_step * area, k = elements_of(c);
  const int64_t count = std::clamp<int64_t>(x.channels() * area - skipped, 0, k);
  const auto* weights = static_cast<const uint8_t*>(c.weights) + group * k * kGroup * 2;
  const int32_t* offsets = x.offsets() + skipped;
  int32_t places[kFewPixels];
  for (int64_t p = 0; p < height * width; ++p) places[p] = static_cast<int32_t>(p / width * x.pitch() + p % width);
  float sums[kFewPixels * kGroup], plane[kFewPixels];
  sum_rows(c, count, sums, kFewPixels * kGroup, [&](int64_t first, int64_t rows, float* to) {
    compute::accumulate_columns(weights + first * kGroup * 2, x.data(), offsets + first, rows, places, static_cast<int>(height * width), to);
  });
  for (int64_t m = 0; m < kGroup; ++m) {
    const int64_t channel = group * kGroup + m;
    if (channel < c.first || channel >= c.last) continue;
    for (int64_t p = 0; p < height * width; ++p) plane[p] = sums[p * kGroup + m];
    compute::finish(c.finish(channel), plane, height * width);
    store_rows(c, channel, 0, height, plane, width);
  }
}

}  // namespace

void Window::check(int64_t largest_kernel) const {
  const auto in_range = [](int64_t v, int64_t low, int64_t high) { return v >= low && v <= high; };
  constexpr int64_t kMaxStride = 4096, kMaxPad = 1 << 20;
  const bool ok = in_range(kernel_x, 1, largest_kernel) && in_range(kernel_y, 1, largest_kernel) && in_range(stride_x, 1, kMaxStride) && in_range(stride_y, 1, kMaxStride) && in_range(pad_left, 0, kMaxPad) &&
                  in_range(pad_top, 0, kMaxPad) && in_range(dilation_x, 1, kLargestKernel) && in_range(dilation_y, 1, kLargestKernel);
  if (!ok) throw Error(ErrorCode::BadBlob, "bad blob: kernel, stride, padding or dilation out of range");
}

ShiftedPlanes::ShiftedPlanes(ThreadPool& pool, const Grid& image, int64_t channels, const Window& window, int64_t out_height, int64_t out_width)
    : window_(window), channels_(std::min(channels, image.dims[0])) {
  const int64_t reach_x = (window.kernel_x - 1) * window.dilation_x, reach_y = (window.kernel_y - 1) * window.dilation_y;
  phases_x_ = std::min(window.stride_x, reach_x + 1);
  phases_y_ = std::min(window.stride_y, reach_y + 1);
  pitch_ = out_width + reach_x / window.stride_x;
  height_ = out_height + reach_y / window.stride_y;
  plane_ = phases_x_ * phases_y_ * height_ * pitch_;
  if (plane_ % 256 == 0) plane_ += 16;  // planes a power of two apart would fall into the same cache lines
  if (plane_ > kMaxFloats || channels_ * plane_ + 2 * kSlack > kMaxFloats) throw Error(ErrorCode::AllocationFailed, "a convolution needs too much memory");
  values_ = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(channels_ * plane_ + 2 * kSlack));
  std::fill_n(values_.get() + channels_ * plane_, 2 * kSlack, 0.0f);
  offsets_.reserve(static_cast<size_t>(channels_ * window.kernel_x * window.kernel_y));
  for (int64_t c = 0; c < channels_; ++c)
    for (int64_t ky = 0; ky < window.kernel_y; ++ky)
      for (int64_t kx = 0; kx < window.kernel_x; ++kx) offsets_.push_back(place_of(c, ky, kx));
  pool.run(channels_, [&](int64_t c) { fill(image, c); }, channels_ * plane_);
}

void ShiftedPlanes::fill(const Grid& image, int64_t channel) {
  const int64_t in_height = image.dims[1], in_width = image.dims[2];
  constexpr int64_t kShortRow = 512;
  float short_row[kShortRow];
  std::unique_ptr<float[]> long_row;
  if (in_width > kShortRow) long_row = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(in_width));
  float* row = long_row ? long_row.get() : short_row;
  float* plane = values_.get() + channel * plane_;
  const bool whole = window_.stride_x == 1 && window_.stride_y == 1 && window_.pad_left == 0 && window_.pad_top == 0 && pitch_ == in_width && height_ == in_height;
  std::fill_n(plane + (whole ? height_ * pitch_ : 0), plane_ - (whole ? height_ * pitch_ : 0), 0.0f);
  for (int64_t phase_y = 0; phase_y < phases_y_; ++phase_y)
    for (int64_t j = 0; j < height_; ++j) {
      const int64_t y = j * window_.stride_y + phase_y - window_.pad_top;
      if (y < 0 || y >= in_height) continue;
      load_row(image.data + channel * image.strides[0] + y * image.strides[1], image.strides[2], image.type, in_width, whole ? plane + j * pitch_ : row);
      if (whole) continue;
      for (int64_t phase_x = 0; phase_x < phases_x_; ++phase_x) {
        float* to = plane + ((phase_y * phases_x_ + phase_x) * height_ + j) * pitch_;
        const int64_t shift = phase_x - window_.pad_left;  // x = i*stride + shift
        const int64_t first = shift >= 0 ? 0 : (-shift + window_.stride_x - 1) / window_.stride_x;
        const int64_t last = shift < in_width ? std::min(pitch_, (in_width - shift + window_.stride_x - 1) / window_.stride_x) : 0;
        if (window_.stride_x == 1 && first < last) std::copy_n(row + first + shift, last - first, to + first);
        else
          for (int64_t i = first; i < last; ++i) to[i] = row[i * window_.stride_x + shift];
      }
    }
}

int32_t ShiftedPlanes::place_of(int64_t channel, int64_t ky, int64_t kx) const {
  const int64_t y = ky * window_.dilation_y, x = kx * window_.dilation_x;
  const int64_t phase = y % window_.stride_y * phases_x_ + x % window_.stride_x;
  return static_cast<int32_t>(channel * plane_ + (phase * height_ + y / window_.stride_y) * pitch_ + x / window_.stride_x);
}

void PackedWeights::prepare(ThreadPool& pool, const Convolution& c) {
  constexpr int64_t kMaxPackedBytes = 16 << 20;
  const int64_t first = c.first / kGroup, count = (c.last + kGroup - 1) / kGroup - first, elements = elements_of(c);
  if (c.weights == weights_ && elements == elements_ && first == first_ && count == static_cast<int64_t>(groups_.size())) return;
  weights_ = nullptr;  // until all is packed
  elements_ = elements;
  first_ = first;
  groups_.clear();
  if (count * elements * kGroup * 4 > kMaxPackedBytes) return;
  groups_.resize(static_cast<size_t>(count));
  pool.run(count, [&](int64_t g) { groups_[static_cast<size_t>(g)] = pack_group(c, first + g); }, count * elements * kGroup);
  weights_ = c.weights;
}

void convolve(ThreadPool& pool, const ShiftedPlanes& x, const Convolution& c, PackedWeights& packed) {
  const int64_t scale = c.pool ? 2 : 1, height = c.y.dims[1] * scale, width = c.y.dims[2] * scale;
  const int64_t first_group = c.first / kGroup, groups = c.last > c.first ? (c.last + kGroup - 1) / kGroup - first_group : 0;
  if (height == 0 || width == 0 || groups == 0) return;
  const int64_t work = groups * kGroup * elements_of(c) * height * width;
  if (height * width <= kFewPixels) {
    pool.run(groups, [&](int64_t g) { convolve_few_pixels(x, c, first_group + g, height, width); }, work);
    return;
  }
  packed.prepare(pool, c);
  int64_t rows = std::clamp<int64_t>(kChunkPixels / x.pitch(), 1, height);
  if (c.pool) rows = std::max<int64_t>(2, rows / 2 * 2);
  const int64_t chunks = (height + rows - 1) / rows;
  pool.run(groups * chunks, [&](int64_t task) {
    const int64_t begin = task % chunks * rows;
    convolve_rows(x, c, packed, first_group + task / chunks, begin, std::min(begin + rows, height), width);
  }, work);
}

}  // namespace blobsmith::emulator
