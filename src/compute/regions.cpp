#include "compute/regions.hpp"

#include <algorithm>
#include <cmath>

namespace blobsmith::compute {
namespace {

constexpr float kFarAway = 1e9f;
constexpr int64_t kMaxSamples = 4096;

int64_t round_away(float v) { return static_cast<int64_t>(std::round(tame(v))); }
int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/// From pixel `first` to before `last`, inside an image.
struct Span {
  int64_t first, last;
  Span(int64_t from, int64_t to, int64_t size)
      : first(std::clamp<int64_t>(from, 0, size)), last(std::clamp<int64_t>(to, 0, size)) {}
  int64_t count() const { return std::max<int64_t>(last - first, 0); }
};

}  // namespace

float tame(float v) { return v == v ? std::clamp(v, -kFarAway, kFarAway) : 0.0f; }

float largest_of_bin(const FeatureMaps& m, const float* plane, const Box& region, Bins bins, int64_t i, int64_t j) {
  const auto span = [](float low, float high, int64_t k, int64_t count, int64_t size) {
    const int64_t start = round_away(low), each = std::max<int64_t>(round_away(high) - start + 1, 1);
    return Span(start + floor_div(k * each, count), start - floor_div(-(k + 1) * each, count), size);
  };
  const Span ys = span(region.y1, region.y2, i, bins.rows, m.height),
             xs = span(region.x1, region.x2, j, bins.columns, m.width);
  if (ys.count() == 0 || xs.count() == 0) return 0;
  float v = plane[ys.first * m.width + xs.first];
  for (int64_t y = ys.first; y < ys.last; ++y)
    for (int64_t x = xs.first; x < xs.last; ++x) v = std::max(v, plane[y * m.width + x]);
  return v;
}

float between_pixels(const FeatureMaps& m, const float* plane, float y, float x) {
  const auto top = static_cast<int64_t>(y), left = static_cast<int64_t>(x);
  const int64_t bottom = std::min(top + 1, m.height - 1), right = std::min(left + 1, m.width - 1);
  const float v = y - static_cast<float>(top), u = x - static_cast<float>(left);
  return (1 - v) * ((1 - u) * plane[top * m.width + left] + u * plane[top * m.width + right]) +
         v * ((1 - u) * plane[bottom * m.width + left] + u * plane[bottom * m.width + right]);
}

float interpolated(const FeatureMaps& m, const float* plane, const Box& region, Bins bins, int64_t i, int64_t j) {
  const auto place = [](float a, float b, int64_t k, int64_t count, int64_t size) {
    const auto last = static_cast<float>(size - 1);
    return count > 1 ? static_cast<float>(k) * ((b - a) * last / static_cast<float>(count - 1)) + a * last
                     : 0.5f * (a + b) * last;
  };
  const float y = place(region.y1, region.y2, i, bins.rows, m.height),
              x = place(region.x1, region.x2, j, bins.columns, m.width);
  if (!(y >= 0 && y <= static_cast<float>(m.height - 1) && x >= 0 && x <= static_cast<float>(m.width - 1))) return 0;
  return between_pixels(m, plane, y, x);
}

float mean_of_bin(const FeatureMaps& m, const float* plane, const Box& region, float scale, Bins bins, int64_t i,
                  int64_t j) {
  const auto span = [&](float low, float high, int64_t k, int64_t count, int64_t size) {
    const auto place = [&](float v) { return tame(static_cast<float>(round_away(v)) * scale); };
    const float start = place(low), length = std::max(place(high + 1) - start, 0.1f);
    const auto edge = [&](int64_t n) { return start + static_cast<float>(n) * length / static_cast<float>(count); };
    return Span(static_cast<int64_t>(std::floor(edge(k))), static_cast<int64_t>(std::ceil(edge(k + 1))), size);
  };
  const Span ys = span(region.y1, region.y2, i, bins.rows, m.height),
             xs = span(region.x1, region.x2, j, bins.columns, m.width);
  float sum = 0;
  for (int64_t y = ys.first; y < ys.last; ++y)
    for (int64_t x = xs.first; x < xs.last; ++x) sum += plane[y * m.width + x];
  const int64_t count = ys.count() * xs.count();
  return count ? sum / static_cast<float>(count) : 0.0f;
}

RegionSamples::RegionSamples(const FeatureMaps& m, const Box& region, Bins bins, int64_t samples, bool half_pixel)
    : bins_(bins), width_(m.width) {
  const float shift = half_pixel ? 0.5f : 0.0f, w = tame(std::max(region.x2 - region.x1, 1.0f)),
              h = tame(std::max(region.y2 - region.y1, 1.0f));
  const auto count = [&](float size, int64_t of) {
    return samples ? samples : static_cast<int64_t>(std::ceil(size / static_cast<float>(of)));
  };
  const int64_t down = count(h, bins.rows), along_row = count(w, bins.columns);
  sensible_ = down >= 0 && down <= kMaxSamples && along_row >= 0 && along_row <= kMaxSamples;
  if (!sensible_) return;
  rows_ = along(tame(region.y1 - shift), h, bins.rows, down, m.height);
  columns_ = along(tame(region.x1 - shift), w, bins.columns, along_row, m.width);
}

std::vector<RegionSamples::Sample> RegionSamples::along(float start, float size, int64_t bins, int64_t samples,
                                                        int64_t length) {
  std::vector<Sample> list;
  for (int64_t b = 0; b < bins; ++b)
    for (int64_t k = 0; k < samples; ++k) {
      float c = start + (static_cast<float>(b) + (static_cast<float>(k) + 0.5f) / static_cast<float>(samples)) *
                            (size / static_cast<float>(bins));
      const bool outside = c < -1 || c > static_cast<float>(length);
      c = std::max(c, 0.0f);
      const int64_t low = std::min(static_cast<int64_t>(std::min(c, kFarAway)), length - 1);
      list.push_back(
          {low, std::min(low + 1, length - 1), low >= length - 1 ? 0.0f : c - static_cast<float>(low), outside});
    }
  return list;
}

float RegionSamples::pool_bin(const float* plane, bool mean, int64_t i, int64_t j) const {
  const int64_t per_row = static_cast<int64_t>(rows_.size()) / bins_.rows,
                per_column = static_cast<int64_t>(columns_.size()) / bins_.columns;
  float sum = 0, top = 0;
  bool first = true;
  for (int64_t a = 0; a < per_row; ++a)
    for (int64_t b = 0; b < per_column; ++b) {
      const Sample &r = rows_[static_cast<size_t>(i * per_row + a)],
                   &c = columns_[static_cast<size_t>(j * per_column + b)];
      float parts[4] = {};
      if (!r.outside && !c.outside) {
        parts[0] = plane[r.low * width_ + c.low] * (1 - r.weight) * (1 - c.weight);
        parts[1] = plane[r.low * width_ + c.high] * (1 - r.weight) * c.weight;
        parts[2] = plane[r.high * width_ + c.low] * r.weight * (1 - c.weight);
        parts[3] = plane[r.high * width_ + c.high] * r.weight * c.weight;
      }
      sum += parts[0] + parts[1] + parts[2] + parts[3];
      const float best = *std::max_element(parts, parts + 4);
      top = first ? best : std::max(top, best);
      first = false;
    }
  return mean ? sum / static_cast<float>(std::max<int64_t>(per_row * per_column, 1)) : top;
}

void RegionSamples::pool(const float* plane, bool mean, float* to) const {
  for (int64_t i = 0; i < bins_.rows; ++i)
    for (int64_t j = 0; j < bins_.columns; ++j) *to++ = pool_bin(plane, mean, i, j);
}

int64_t pyramid_level(const Box& region, int64_t levels) {
  const float area = (region.x2 - region.x1) * (region.y2 - region.y1);
  return static_cast<int64_t>(
      std::clamp(std::floor(std::log2(std::sqrt(area) / 224 + 1e-6f) + 2), 0.0f, static_cast<float>(levels - 1)));
}

}  // namespace blobsmith::compute
