#include "emulator/convolution.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>

#include "core/float16.hpp"

namespace blobsmith::emulator {

using compute::kSlack;

namespace {

constexpr int64_t kChunkPixels = 2048;  // a group's sums stay in the cache
constexpr int64_t kFewPixels = 8;

/// A group's weights in the engine's layout.
class StoredGroups {
 public:
  explicit StoredGroups(const Convolution& c) : c_(c) {
    if (c.arrange) room_ = std::make_unique_for_overwrite<Half[]>(static_cast<size_t>(c.elements() * kGroup));
  }
  const uint8_t* get(int64_t group) {
    if (!room_) return static_cast<const uint8_t*>(c_.weights) + group * c_.elements() * kGroup * 2;
    c_.arrange(group, room_.get());
    return reinterpret_cast<const uint8_t*>(room_.get());
  }

 private:
  const Convolution& c_;
  std::unique_ptr<Half[]> room_;
};

/// The weights of one group as floats, without those that are zero for all its channels (memory that nobody wrote must
/// not be touched, execution spec §1.3), and where the rows they belong to lie in the input.
class Group {
 public:
  Group(const ShiftedPlanes& x, const Convolution& c)
      : x_(x),
        c_(c),
        stored_(c),
        weights_(std::make_unique_for_overwrite<float[]>(static_cast<size_t>(c.elements() * kGroup))),
        kept_(std::make_unique_for_overwrite<int32_t[]>(static_cast<size_t>(c.elements()))),
        masks_(std::make_unique_for_overwrite<uint8_t[]>(static_cast<size_t>(c.elements()))) {}

  void load(int64_t index) {
    if (index == index_) return;
    index_ = index;
    const int64_t k = c_.elements(), first = index * c_.input_step * c_.window.area(),
                  available = x_.channels() * c_.window.area() - first;
    const compute::PackedRows packed =
        compute::pack_weights(stored_.get(index), k, weights_.get(), kept_.get(), masks_.get());
    const int32_t* offsets = x_.offsets() + first;
    if (packed.rows == k && k <= available) {  // nothing was left out
      count_ = k;
      offsets_ = offsets;
    } else {
      for (count_ = 0; count_ < packed.rows && kept_[static_cast<size_t>(count_)] < available; ++count_)
        kept_[static_cast<size_t>(count_)] = offsets[kept_[static_cast<size_t>(count_)]];
      offsets_ = kept_.get();
    }
    sparse_ = packed.zeros * 3 >= packed.rows * kGroup * 2;
    if (sparse_) separate_channels();
  }

  int64_t count() const { return count_; }
  /// Depthwise kernels come as dense ones that are nearly all zero.
  bool is_sparse() const { return sparse_; }

  /// Sums over the elements [first, first + count) for all channels.
  void sum(int64_t first, int64_t count, const float* at, float* out, int64_t pitch, int64_t pixels) const {
    compute::accumulate(weights_.get() + first * kGroup, at, offsets_ + first, count, out, pitch, pixels);
  }

  /// The sum for one channel, over those elements that are not zero.
  void sum_channel(int64_t m, const float* at, float* out, int64_t pixels) const {
    const int64_t first = m * c_.elements();
    compute::accumulate_one(channel_weights_.get() + first, at, channel_offsets_.get() + first,
                            channel_counts_[static_cast<size_t>(m)], out, pixels);
  }

 private:
  void separate_channels() {
    const int64_t k = c_.elements();
    if (!channel_weights_) {
      channel_weights_ = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(k * kGroup));
      channel_offsets_ = std::make_unique_for_overwrite<int32_t[]>(static_cast<size_t>(k * kGroup));
    }
    channel_counts_ = {};
    for (int64_t i = 0; i < count_; ++i)
      for (unsigned mask = masks_[static_cast<size_t>(i)]; mask != 0; mask &= mask - 1) {
        const auto m = static_cast<size_t>(std::countr_zero(mask));
        const int64_t place = static_cast<int64_t>(m) * k + channel_counts_[m]++;
        channel_weights_[static_cast<size_t>(place)] = weights_[static_cast<size_t>(i * kGroup) + m];
        channel_offsets_[static_cast<size_t>(place)] = offsets_[i];
      }
  }

  const ShiftedPlanes& x_;
  const Convolution& c_;
  StoredGroups stored_;
  int64_t index_ = -1, count_ = 0;
  bool sparse_ = false;
  std::unique_ptr<float[]> weights_;  ///< [element][8]
  std::unique_ptr<int32_t[]> kept_;   ///< numbers of the elements, then their places
  const int32_t* offsets_ = nullptr;
  std::unique_ptr<uint8_t[]> masks_;
  std::unique_ptr<float[]> channel_weights_;  ///< of sparse groups: [channel][element]
  std::unique_ptr<int32_t[]> channel_offsets_;
  std::array<int64_t, kGroup> channel_counts_{};
};

/// Two rows of the unpooled plane -> one of the pooled.
void pool_rows(const float* upper, const float* lower, float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    to[i] = std::max(std::max(upper[2 * i], upper[2 * i + 1]), std::max(lower[2 * i], lower[2 * i + 1]));
}

/// Finished rows of one channel.
void store_channel(const Convolution& c, const Grid& y, int64_t channel, int64_t first_row, int64_t rows, float* values,
                   int64_t pitch) {
  uint8_t* plane = y.data + channel * y.strides[0];
  if (c.pool) {  // in place
    for (int64_t r = 0; r < rows; r += 2)
      pool_rows(values + r * pitch, values + (r + 1) * pitch, values + r / 2 * pitch, y.dims[2]);
    first_row /= 2;
    rows /= 2;
  }
  store_rows(values, pitch, plane + first_row * y.strides[1], y.strides[1], y.strides[2], y.type, rows, y.dims[2]);
}

/// The same for a group's 8 channels of a few pixels, [pixel][8].
void pool_columns(float* values, int64_t height, int64_t width) {
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t m = 0; m < kGroup; ++m) {
        const float* from = values + (2 * y * 2 * width + 2 * x) * kGroup + m;
        values[(y * width + x) * kGroup + m] = std::max(
            std::max(from[0], from[kGroup]), std::max(from[2 * width * kGroup], from[(2 * width + 1) * kGroup]));
      }
}

/// A group's channels of a few pixels, [pixel][8]; `place_of`: where a pixel lies in channel 0.
template <class Place>
void store_columns(const Convolution& c, int64_t group, const float* values, int64_t pixels, const Grid& y,
                   Place place_of) {
  const int64_t low = std::max(group * kGroup, c.first), n = std::min((group + 1) * kGroup, c.last) - low,
                stride = y.strides[0];
  if (y.type != DataType::FP16) {
    for (int64_t p = 0; p < pixels; ++p)
      store_row(values + p * kGroup + low % kGroup, place_of(p) + low * stride, stride, y.type, n);
    return;
  }
  constexpr int64_t kBlock = 64;
  Half halves[kBlock * kGroup];
  for (int64_t first = 0; first < pixels; first += kBlock) {
    const int64_t count = std::min(kBlock, pixels - first);
    floats_to_halves(values + first * kGroup, halves, static_cast<size_t>(count * kGroup));
    for (int64_t p = 0; p < count; ++p) {
      uint8_t* to = place_of(first + p) + low * stride;
      for (int64_t m = 0; m < n; ++m)
        std::memcpy(to + m * stride, &halves[p * kGroup + low % kGroup + m], sizeof(Half));
    }
  }
}

/// Calls sum(first, count, to) for all rows of weights at once, or channel by channel with an FP16 sum between.
template <class F>
void sum_rows(const Convolution& c, int64_t rows, float* out, int64_t n, F sum) {
  if (!c.fp16_sums) return sum(0, rows, out);
  const int64_t area = c.window.area();
  std::vector<float> part(static_cast<size_t>(n));
  std::fill_n(out, n, 0.0f);
  for (int64_t first = 0; first < rows; first += area) {
    sum(first, std::min(area, rows - first), part.data());
    for (int64_t i = 0; i < n; ++i) out[i] = half_to_float(float_to_half(out[i] + part[static_cast<size_t>(i)]));
  }
}

/// Calls f(m, channel) for the channels of a group that are wanted.
template <class F>
void for_channels(const Convolution& c, int64_t group, F f) {
  const int64_t begin = std::max(c.first - group * kGroup, int64_t{0}), end = std::min(c.last - group * kGroup, kGroup);
  for (int64_t m = begin; m < end; ++m) f(m, group * kGroup + m);
}

struct Groups {
  int64_t first, count;
  explicit Groups(const Convolution& c)
      : first(c.first / kGroup), count(c.last > c.first ? (c.last + kGroup - 1) / kGroup - first : 0) {}
};

int64_t sums_pitch(int64_t pixels) { return (pixels + kSlack + 7) / 8 * 8; }

/// Sums of a group for `pixels` positions in one row from `at`, finished; calls store(channel, values).
template <class Store>
void convolve_group(Group& g, const Convolution& c, int64_t group, const float* at, int64_t pixels, float* sums,
                    Store store) {
  g.load(group);
  const int64_t pitch = sums_pitch(pixels);
  if (!g.is_sparse())
    sum_rows(c, g.count(), sums, pitch * kGroup,
             [&](int64_t first, int64_t rows, float* to) { g.sum(first, rows, at, to, pitch, pixels); });
  for_channels(c, group, [&](int64_t m, int64_t channel) {
    float* row = sums + m * pitch;
    if (g.is_sparse()) g.sum_channel(m, at, row, pixels);
    compute::finish(c.finish(channel), row, pixels);
    store(channel, row);
  });
}

std::unique_ptr<float[]> room_for_sums(int64_t pixels) {
  return std::make_unique_for_overwrite<float[]>(static_cast<size_t>(sums_pitch(pixels) * kGroup + kSlack));
}

/// Planes of at most kFewPixels elements: vectors run over the output channels instead, and each weight is needed so
/// rarely that it is taken as it lies.
void convolve_few_pixels(ThreadPool& pool, const ShiftedPlanes& x, const Convolution& c, const Grid& y, int64_t height,
                         int64_t width) {
  const Groups groups(c);
  const int64_t area = c.window.area(), k = c.elements(), pixels = height * width;
  const bool skip_zeros = !x.all_finite();
  int32_t places[kFewPixels];
  for (int64_t p = 0; p < pixels; ++p) places[p] = static_cast<int32_t>(p / width * x.pitch() + p % width);
  pool.run_ranges(
      groups.count,
      [&](int64_t begin, int64_t end) {
        StoredGroups stored(c);
        const int64_t at_once =
            c.input_step == 0 && !c.arrange ? end - begin : 1;  // groups that read the same channels
        const auto sums = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(at_once * pixels * kGroup));
        for (; begin < end; begin += at_once) {
          const int64_t group = groups.first + begin, skipped = group * c.input_step * area,
                        count = std::clamp<int64_t>(x.channels() * area - skipped, 0, k);
          const uint8_t* weights = stored.get(group);
          sum_rows(c, count, sums.get(), at_once * pixels * kGroup, [&](int64_t first, int64_t rows, float* to) {
            const compute::GroupedWeights w{weights + first * kGroup * 2, at_once, k * kGroup, skip_zeros};
            compute::accumulate_columns(w, x.data(), x.offsets() + skipped + first, rows, places, pixels, to);
          });
          for (int64_t g = 0; g < at_once; ++g) {
            float* values = sums.get() + g * pixels * kGroup;
            for_channels(c, group + g, [&](int64_t m, int64_t channel) {
              const Finish f = c.finish(channel);
              for (int64_t p = 0; p < pixels; ++p)
                values[p * kGroup + m] = compute::finished(f, values[p * kGroup + m]);
            });
            if (c.pool) pool_columns(values, y.dims[1], y.dims[2]);
            store_columns(c, group + g, values, y.dims[1] * y.dims[2], y, [&](int64_t p) {
              return y.data + p / y.dims[2] * y.strides[1] + p % y.dims[2] * y.strides[2];
            });
          }
        }
      },
      groups.count * kGroup * k * pixels);
}

/// All rows of y, or those from `first_row` on that x has been made for.
void convolve_rows(ThreadPool& pool, const ShiftedPlanes& x, const Convolution& c, const Grid& y, int64_t first_row,
                   int64_t height, int64_t width) {
  const Groups groups(c);
  int64_t rows = std::clamp<int64_t>(kChunkPixels / x.pitch(), 1, height);
  if (c.pool) rows = std::max<int64_t>(2, rows / 2 * 2);
  const int64_t chunks = (height + rows - 1) / rows;
  pool.run_ranges(
      groups.count * chunks,
      [&](int64_t first, int64_t last) {
        Group group(x, c);
        const auto sums = room_for_sums(rows * x.pitch());
        for (int64_t task = first; task < last; ++task) {
          const int64_t begin = task % chunks * rows, end = std::min(begin + rows, height);
          convolve_group(group, c, groups.first + task / chunks, x.data() + begin * x.pitch(),
                         (end - begin - 1) * x.pitch() + width, sums.get(), [&](int64_t channel, float* values) {
                           store_channel(c, y, channel, first_row + begin, end - begin, values, x.pitch());
                         });
        }
      },
      groups.count * kGroup * c.elements() * height * width);
}

/// How many rows of the result are made at once, so that the planes for them have about `room` floats.
int64_t rows_at_once(const Convolution& c, int64_t room, int64_t channels, int64_t height, int64_t width) {
  constexpr int64_t kEnoughPixels = 64;  // to be worth the conversion of all weights
  const ShiftedPlanes::Shape of_row(c.window, 1, width);
  const int64_t each = std::max<int64_t>(1, channels * of_row.phases() * of_row.pitch), shared = of_row.height - 1;
  int64_t rows = std::max({room / each - shared, shared, (kEnoughPixels + width - 1) / width});
  rows = std::min(rows, height);
  const int64_t parts = (height + rows - 1) / rows;
  rows = (height + parts - 1) / parts;
  return c.pool ? (rows + 1) / 2 * 2 : rows;
}

}  // namespace

void convolve(ThreadPool& pool, PlanesCache& planes, const Grid& image, const Convolution& c, const Grid& y) {
  const int64_t scale = c.pool ? 2 : 1, height = y.dims[1] * scale, width = y.dims[2] * scale;
  const int64_t channels = std::min(c.input_step == 0 ? c.input_channels : image.dims[0], image.dims[0]);
  if (height == 0 || width == 0 || c.last <= c.first) return;
  if (height * width <= kFewPixels)
    return convolve_few_pixels(pool, planes.get(pool, image, channels, c.window, height, width), c, y, height, width);
  const int64_t rows = rows_at_once(c, planes.room, channels, height, width);
  for (int64_t first = 0; first < height; first += rows) {
    const int64_t count = std::min(rows, height - first);
    Grid part = image;
    Window window = c.window;
    const int64_t skipped = std::clamp<int64_t>(first * window.stride_y - window.pad_top, 0, image.dims[1]);
    part.data += skipped * part.strides[1];
    part.dims[1] -= skipped;
    window.pad_top += skipped - first * window.stride_y;
    convolve_rows(pool, planes.get(pool, part, channels, window, count, width), c, y, first, count, width);
  }
}

void convolve_elements(ThreadPool& pool, const ShiftedPlanes& x, const Convolution& c, std::span<const Grid> ys) {
  const Groups groups(c);
  const auto pixels = static_cast<int64_t>(ys.size());
  pool.run_ranges(
      groups.count,
      [&](int64_t begin, int64_t end) {
        Group group(x, c);
        const auto sums = room_for_sums(pixels),
                   of_image = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(pixels * kGroup));
        for (int64_t g = groups.first + begin; g < groups.first + end; ++g) {
          convolve_group(group, c, g, x.data(), pixels, sums.get(), [&](int64_t channel, const float* values) {
            for (int64_t p = 0; p < pixels; ++p)
              of_image[static_cast<size_t>(p * kGroup + channel % kGroup)] = values[p];
          });
          store_columns(c, g, of_image.get(), pixels, ys[0],
                        [&](int64_t p) { return ys[static_cast<size_t>(p)].data; });
        }
      },
      groups.count * kGroup * c.elements() * pixels);
}

}  // namespace blobsmith::emulator
