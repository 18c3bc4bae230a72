// Pooling over regions of interest (opset 1, 3).
#include <algorithm>
#include <cmath>

#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

constexpr double kFarAway = 1e9;
constexpr int64_t kMaxSamples = 4096;

/// What is no place in any image becomes a number that integers can hold.
double tame(double v) { return v == v ? std::clamp(v, -kFarAway, kFarAway) : 0; }
double region(const Call& c, int64_t row, int64_t column) { return tame(static_cast<double>(c.floats(1)[static_cast<size_t>(row * c.dim(1, 1) + column)])); }

/// Feature maps [N][C][H][W].
struct Maps {
  const float* values;
  int64_t items, channels, height, width;
  explicit Maps(const Call& c) : values(c.floats(0).data()), items(c.dim(0, 0)), channels(c.dim(0, 1)), height(c.dim(0, 2)), width(c.dim(0, 3)) {
    c.require(height > 0 && width > 0, "empty feature maps");
  }
  const float* plane(int64_t item, int64_t channel) const { return values + (item * channels + channel) * height * width; }
  double at(const float* plane, int64_t y, int64_t x) const { return static_cast<double>(plane[y * width + x]); }
};

int64_t image_of(const Call& c, const Maps& m, double index) {
  c.require(index >= 0 && index < static_cast<double>(m.items), "a region of an image that does not exist");
  return static_cast<int64_t>(index);
}

struct Span {
  int64_t first, last;
};

/// Bin k of `bins` over whole pixels from `low` to `high`, both included, cut to the image.
Span pixel_bin(double low, double high, int64_t k, int64_t bins, int64_t limit) {
  const double start = std::round(low), size = std::max(std::round(high) - start + 1, 1.0), each = size / static_cast<double>(bins);
  const auto cut = [&](double v) { return std::clamp<int64_t>(static_cast<int64_t>(tame(v)), 0, limit); };
  return {cut(start + std::floor(static_cast<double>(k) * each)), cut(start + std::ceil(static_cast<double>(k + 1) * each))};
}

double largest_in(const Maps& m, const float* plane, Span y, Span x) {
  if (y.last <= y.first || x.last <= x.first) return 0;
  double v = m.at(plane, y.first, x.first);
  for (int64_t i = y.first; i < y.last; ++i)
    for (int64_t j = x.first; j < x.last; ++j) v = std::max(v, m.at(plane, i, j));
  return v;
}

/// Between the four pixels around a point; 0 outside of the image.
double between_pixels(const Maps& m, const float* plane, double y, double x) {
  if (!(y >= 0 && y <= static_cast<double>(m.height - 1) && x >= 0 && x <= static_cast<double>(m.width - 1))) return 0;
  const auto top = static_cast<int64_t>(y), left = static_cast<int64_t>(x);
  const int64_t bottom = std::min(top + 1, m.height - 1), right = std::min(left + 1, m.width - 1);
  const double v = y - static_cast<double>(top), u = x - static_cast<double>(left);
  return (1 - v) * ((1 - u) * m.at(plane, top, left) + u * m.at(plane, top, right)) + v * ((1 - u) * m.at(plane, bottom, left) + u * m.at(plane, bottom, right));
}

/// Corner k of `bins` between two parts of a size; the middle where there is one bin only.
double grid_point(double a, double b, int64_t k, int64_t bins, int64_t size) {
  const auto last = static_cast<double>(size - 1);
  return bins > 1 ? static_cast<double>(k) * (b - a) * last / static_cast<double>(bins - 1) + a * last : 0.5 * (a + b) * last;
}

/// Regions [image, x1, y1, x2, y2]; a negative image ends them.
Outputs run_roi_pooling(const Call& c) {
  const Maps m(c);
  const Shape& out = c.out_shape();
  const double scale = c.attrs().real("spatial_scale");
  const bool bilinear = c.attrs().text("method") == "bilinear";
  c.require(out[1] <= m.channels, "fewer channels than outputs");
  std::vector<float> y(static_cast<size_t>(c.out_count()));
  for (int64_t n = 0; n < out[0] && region(c, n, 0) >= 0; ++n) {
    const int64_t item = image_of(c, m, region(c, n, 0));
    const double x1 = region(c, n, 1), y1 = region(c, n, 2), x2 = region(c, n, 3), y2 = region(c, n, 4);
    float* to = y.data() + n * out[1] * out[2] * out[3];
    for (int64_t k = 0; k < out[1]; ++k)
      for (int64_t i = 0; i < out[2]; ++i)
        for (int64_t j = 0; j < out[3]; ++j) {
          const float* plane = m.plane(item, k);
          *to++ = static_cast<float>(bilinear ? between_pixels(m, plane, grid_point(y1, y2, i, out[2], m.height), grid_point(x1, x2, j, out[3], m.width))
                                              : largest_in(m, plane, pixel_bin(y1 * scale, y2 * scale, i, out[2], m.height), pixel_bin(x1 * scale, x2 * scale, j, out[3], m.width)));
        }
  }
  return {float_tensor(out, std::move(y))};
}

/// Every bin has channels of its own.
Outputs run_ps_roi_pooling(const Call& c) {
  c.require(c.attrs().text("mode") == "average", "not yet supported: mode \"bilinear\"");
  const Maps m(c);
  const Shape& out = c.out_shape();
  const double scale = c.attrs().real("spatial_scale");
  c.require(out[1] * out[2] * out[3] <= m.channels, "fewer channels than bins");
  std::vector<float> y(static_cast<size_t>(c.out_count()));
  float* to = y.data();
  for (int64_t n = 0; n < out[0] && region(c, n, 0) >= 0; ++n) {
    const int64_t item = image_of(c, m, region(c, n, 0));
    const auto place = [&](int64_t column, double add) { return std::round(region(c, n, column) + add) * scale; };
    const double x1 = place(1, 0), y1 = place(2, 0), w = std::max(place(3, 1) - x1, 0.1), h = std::max(place(4, 1) - y1, 0.1);
    const auto bin = [](double start, double size, int64_t k, int64_t bins, int64_t limit) {
      const double each = size / static_cast<double>(bins);
      const auto cut = [&](double v) { return std::clamp<int64_t>(static_cast<int64_t>(tame(v)), 0, limit); };
      return Span{cut(std::floor(start + static_cast<double>(k) * each)), cut(std::ceil(start + static_cast<double>(k + 1) * each))};
    };
    for (int64_t k = 0; k < out[1]; ++k)
      for (int64_t i = 0; i < out[2]; ++i)
        for (int64_t j = 0; j < out[3]; ++j) {
          const Span ys = bin(y1, h, i, out[2], m.height), xs = bin(x1, w, j, out[3], m.width);
          const float* plane = m.plane(item, (k * out[2] + i) * out[3] + j);
          double sum = 0;
          for (int64_t a = ys.first; a < ys.last; ++a)
            for (int64_t b = xs.first; b < xs.last; ++b) sum += m.at(plane, a, b);
          const int64_t count = std::max<int64_t>(ys.last - ys.first, 0) * std::max<int64_t>(xs.last - xs.first, 0);
          *to++ = static_cast<float>(count ? sum / static_cast<double>(count) : 0);
        }
  }
  return {float_tensor(out, std::move(y))};
}

struct Sample {
  int64_t low, high;
  double weight;  ///< of `high`
  bool outside;
};

Sample sample(double at, int64_t size) {
  const bool outside = at < -1 || at > static_cast<double>(size);
  const double c = std::max(tame(at), 0.0);
  const int64_t low = std::min(static_cast<int64_t>(c), size - 1);
  return {low, std::min(low + 1, size - 1), low >= size - 1 ? 0.0 : c - static_cast<double>(low), outside};
}

/// The mean of samples, or the largest of their four weighted pixels.
double align_bin(const Maps& m, const float* plane, const std::vector<Sample>& ys, const std::vector<Sample>& xs, bool mean) {
  double sum = 0, top = 0;
  bool first = true;
  for (const Sample& a : ys)
    for (const Sample& b : xs) {
      double parts[4] = {};
      if (!a.outside && !b.outside) {
        parts[0] = m.at(plane, a.low, b.low) * (1 - a.weight) * (1 - b.weight);
        parts[1] = m.at(plane, a.low, b.high) * (1 - a.weight) * b.weight;
        parts[2] = m.at(plane, a.high, b.low) * a.weight * (1 - b.weight);
        parts[3] = m.at(plane, a.high, b.high) * a.weight * b.weight;
      }
      sum += parts[0] + parts[1] + parts[2] + parts[3];
      const double best = *std::max_element(parts, parts + 4);
      top = first ? best : std::max(top, best);
      first = false;
    }
  return mean ? sum / static_cast<double>(ys.size() * xs.size()) : top;
}

Outputs run_roi_align(const Call& c) {
  const Maps m(c);
  const Shape& out = c.out_shape();
  const double scale = c.attrs().real("spatial_scale");
  const int64_t ratio = c.attrs().integer("sampling_ratio");
  const bool mean = c.attrs().text("mode") == "avg";
  const std::vector<int64_t> images = c.integers(2);
  std::vector<float> y(static_cast<size_t>(c.out_count()));
  float* to = y.data();
  for (int64_t n = 0; n < out[0]; ++n) {
    const int64_t item = image_of(c, m, static_cast<double>(images.at(static_cast<size_t>(n))));
    const auto samples = [&](int64_t low, int64_t high, int64_t k, int64_t bins, int64_t size) {
      const double start = region(c, n, low) * scale, each = std::max(region(c, n, high) * scale - start, 1.0) / static_cast<double>(bins);
      const int64_t count = ratio > 0 ? ratio : static_cast<int64_t>(std::ceil(tame(each)));
      c.require(count <= kMaxSamples, "a region of senseless size");
      std::vector<Sample> list;
      for (int64_t s = 0; s < count; ++s) list.push_back(sample(start + (static_cast<double>(k) + (static_cast<double>(s) + 0.5) / static_cast<double>(count)) * each, size));
      return list;
    };
    for (int64_t k = 0; k < out[1]; ++k)
      for (int64_t i = 0; i < out[2]; ++i) {
        const std::vector<Sample> ys = samples(1, 3, i, out[2], m.height);
        for (int64_t j = 0; j < out[3]; ++j) *to++ = static_cast<float>(align_bin(m, m.plane(item, k), ys, samples(0, 2, j, out[3], m.width), mean));
      }
  }
  return {float_tensor(out, std::move(y))};
}

constexpr Operation kOperations[] = {
    {"ROIPooling", kAnyVersion, run_roi_pooling},
    {"PSROIPooling", kAnyVersion, run_ps_roi_pooling},
    {"ROIAlign", kAnyVersion, run_roi_align},
};

}  // namespace

std::span<const Operation> roi_operations() { return kOperations; }

}  // namespace blobsmith::reference
