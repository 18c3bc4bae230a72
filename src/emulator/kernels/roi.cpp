// Pooling over regions of interest (execution spec §9).
#include "vpu/stages/roi.hpp"

#include <cmath>

#include "emulator/kernels/kernels.hpp"

namespace blobsmith::emulator {
namespace {

constexpr int64_t kMaxBins = 4096, kMaxSamples = 4096;
constexpr float kFarAway = 1e9f;

/// Feature maps as floats [N][C][H][W].
struct Maps {
  std::vector<float> values;
  int64_t items, channels, height, width;
  explicit Maps(const Grid& g) : values(read_floats(g)), items(g.dims[0]), channels(g.dims[1]), height(g.dims[2]), width(g.dims[3]) {}
  const float* plane(int64_t item, int64_t channel) const { return values.data() + (item * channels + channel) * height * width; }
};

/// NaN and what is far outside of any image become numbers that integers can hold.
float tame(float v) { return v == v ? std::clamp(v, -kFarAway, kFarAway) : 0.0f; }
int64_t round_away(float v) { return static_cast<int64_t>(v < 0 ? -std::floor(-v + 0.5f) : std::floor(v + 0.5f)); }
int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

std::vector<float> read_rois(StageRun& s, int k, size_t numbers) {
  std::vector<float> v = read_floats(memory_order(s.in(k)));
  for (float& f : v) f = tame(f);
  s.check(v.size() % numbers == 0, "regions of an unexpected size");
  return v;
}

/// The values of an input decide this, not the blob.
int64_t map_index(float v, const Maps& maps) {
  if (!(v >= 0 && v < static_cast<float>(maps.items)))
    throw Error(ErrorCode::ShapeMismatch, "a region lies in image " + std::to_string(v) + " of " + std::to_string(maps.items)).hint("random numbers are no regions: give this input real ones");
  return static_cast<int64_t>(v);
}

float pool_max(const float* map, const Maps& m, const float* roi, float scale, int64_t i, int64_t j, const vpu::RoiPoolingParams& p) {
  const int64_t x1 = round_away(roi[1] * scale), y1 = round_away(roi[2] * scale), x2 = round_away(roi[3] * scale), y2 = round_away(roi[4] * scale);
  const int64_t w = std::max<int64_t>(x2 - x1 + 1, 1), h = std::max<int64_t>(y2 - y1 + 1, 1), bins_h = p.pooled_h, bins_w = p.pooled_w;
  const auto bin = [](int64_t start, int64_t size, int64_t k, int64_t bins, int64_t limit) {
    return std::pair(std::clamp<int64_t>(start + floor_div(k * size, bins), 0, limit), std::clamp<int64_t>(start - floor_div(-(k + 1) * size, bins), 0, limit));
  };
  const auto [ya, yb] = bin(y1, h, i, bins_h, m.height);
  const auto [xa, xb] = bin(x1, w, j, bins_w, m.width);
  if (yb <= ya || xb <= xa) return 0;
  float v = map[ya * m.width + xa];
  for (int64_t y = ya; y < yb; ++y)
    for (int64_t x = xa; x < xb; ++x) v = std::max(v, map[y * m.width + x]);
  return v;
}

float pool_bilinear(const float* map, const Maps& m, const float* roi, int64_t i, int64_t j, const vpu::RoiPoolingParams& p) {
  const auto place = [](float a, float b, int64_t size, int64_t k, int64_t bins) {
    const auto last = static_cast<float>(size - 1);
    return bins > 1 ? static_cast<float>(k) * ((b - a) * last / static_cast<float>(bins - 1)) + a * last : 0.5f * (a + b) * last;
  };
  const float y = place(roi[2], roi[4], m.height, i, p.pooled_h), x = place(roi[1], roi[3], m.width, j, p.pooled_w);
  if (!(y >= 0 && y <= static_cast<float>(m.height - 1) && x >= 0 && x <= static_cast<float>(m.width - 1))) return 0;
  const auto top = static_cast<int64_t>(y), left = static_cast<int64_t>(x);
  const int64_t bottom = std::min(top + 1, m.height - 1), right = std::min(left + 1, m.width - 1);
  const float v = y - static_cast<float>(top), u = x - static_cast<float>(left);
  return (1 - v) * ((1 - u) * map[top * m.width + left] + u * map[top * m.width + right]) + v * ((1 - u) * map[bottom * m.width + left] + u * map[bottom * m.width + right]);
}

}  // namespace

// Buffers: maps, output, regions [image, x1, y1, x2, y2]; a negative image ends them.
void run_roi_pooling(StageRun& s) {
  const auto& p = s.params<vpu::RoiPoolingParams>();
  const Maps m(planes(s.in(0)));
  const Grid out = planes(s.out(1));
  const std::vector<float> rois = read_rois(s, 2, 5);
  s.check(p.pooled_h >= 1 && p.pooled_w >= 1 && out.dims[1] <= m.channels && out.dims[2] == p.pooled_h && out.dims[3] == p.pooled_w && m.height > 0 && m.width > 0, "an output of an unexpected shape");
  std::vector<float> y(static_cast<size_t>(out.count()));
  const int64_t each = out.dims[1] * out.dims[2] * out.dims[3], count = std::min<int64_t>(out.dims[0], static_cast<int64_t>(rois.size()) / 5);
  for (int64_t n = 0; n < count; ++n) {
    const float* roi = rois.data() + n * 5;
    if (roi[0] < 0) break;
    const int64_t item = map_index(roi[0], m);
    for (int64_t k = 0; k < each; ++k) {
      const int64_t c = k / (out.dims[2] * out.dims[3]), i = k / out.dims[3] % out.dims[2], j = k % out.dims[3];
      y[static_cast<size_t>(n * each + k)] = p.method == 0 ? pool_max(m.plane(item, c), m, roi, p.spatial_scale, i, j, p) : pool_bilinear(m.plane(item, c), m, roi, i, j, p);
    }
  }
  write(out, y);
}

void run_psroi_pooling(StageRun& s) {
  const auto& p = s.params<vpu::PsRoiPoolingParams>();
  const Maps m(planes(s.in(0)));
  const Grid out = planes(s.out(1));
  const std::vector<float> rois = read_rois(s, 2, 5);
  const int64_t group = p.group_size, count = std::min<int64_t>(out.dims[0], static_cast<int64_t>(rois.size()) / 5);
  s.check(group >= 1 && group <= kMaxBins && out.dims[2] == group && out.dims[3] == group && out.dims[1] <= m.channels / group / group, "an output of an unexpected shape");
  std::vector<float> y(static_cast<size_t>(out.count()));
  float* to = y.data();
  for (int64_t n = 0; n < count; ++n) {
    const float* roi = rois.data() + n * 5;
    if (roi[0] < 0) break;  // fewer regions than rows, as Proposal leaves them
    const int64_t item = map_index(roi[0], m);
    const auto place = [&](float v) { return tame(static_cast<float>(round_away(v)) * p.spatial_scale); };
    const float x1 = place(roi[1]), y1 = place(roi[2]), w = std::max(place(roi[3] + 1) - x1, 0.1f), h = std::max(place(roi[4] + 1) - y1, 0.1f);
    const auto edge = [&](float start, float size, int64_t k) { return start + static_cast<float>(k) * size / static_cast<float>(group); };
    for (int64_t c = 0; c < out.dims[1]; ++c)
      for (int64_t i = 0; i < group; ++i)
        for (int64_t j = 0; j < group; ++j) {
          const auto inside = [](float v, int64_t size) { return std::clamp<int64_t>(static_cast<int64_t>(v), 0, size); };
          const int64_t ya = inside(std::floor(edge(y1, h, i)), m.height), yb = inside(std::ceil(edge(y1, h, i + 1)), m.height);
          const int64_t xa = inside(std::floor(edge(x1, w, j)), m.width), xb = inside(std::ceil(edge(x1, w, j + 1)), m.width);
          const float* map = m.plane(item, (c * group + i) * group + j);
          float sum = 0;
          for (int64_t iy = ya; iy < yb; ++iy)
            for (int64_t ix = xa; ix < xb; ++ix) sum += map[iy * m.width + ix];
          *to++ = yb > ya && xb > xa ? sum / static_cast<float>((yb - ya) * (xb - xa)) : 0.0f;
        }
  }
  write(out, y);
}

namespace {

/// The sample points of all bins along one axis.
struct Sample {
  int64_t low, high;
  float weight;  ///< of `high`
  bool outside;
};

std::vector<Sample> sample_axis(float start, float size, int64_t bins, int64_t samples, int64_t length) {
  std::vector<Sample> list;
  for (int64_t b = 0; b < bins; ++b)
    for (int64_t k = 0; k < samples; ++k) {
      float c = start + (static_cast<float>(b) + (static_cast<float>(k) + 0.5f) / static_cast<float>(samples)) * (size / static_cast<float>(bins));
      const bool outside = c < -1 || c > static_cast<float>(length);
      c = std::max(c, 0.0f);
      const int64_t low = std::min(static_cast<int64_t>(std::min(c, kFarAway)), length - 1);
      list.push_back({low, std::min(low + 1, length - 1), low >= length - 1 ? 0.0f : c - static_cast<float>(low), outside});
    }
  return list;
}

/// ROIAlign of one region of one plane; mode 0: mean, 1: largest of the weighted corners.
void align_region(const float* map, int64_t width, const std::vector<Sample>& rows, const std::vector<Sample>& columns, int64_t bins_h, int64_t bins_w, int mode, float* to) {
  const int64_t per_row = static_cast<int64_t>(rows.size()) / bins_h, per_column = static_cast<int64_t>(columns.size()) / bins_w;
  for (int64_t i = 0; i < bins_h; ++i)
    for (int64_t j = 0; j < bins_w; ++j) {
      float sum = 0, top = 0;
      bool first = true;
      for (int64_t a = 0; a < per_row; ++a)
        for (int64_t b = 0; b < per_column; ++b) {
          const Sample &r = rows[static_cast<size_t>(i * per_row + a)], &c = columns[static_cast<size_t>(j * per_column + b)];
          float parts[4] = {};
          if (!r.outside && !c.outside) {
            parts[0] = map[r.low * width + c.low] * (1 - r.weight) * (1 - c.weight);
            parts[1] = map[r.low * width + c.high] * (1 - r.weight) * c.weight;
            parts[2] = map[r.high * width + c.low] * r.weight * (1 - c.weight);
            parts[3] = map[r.high * width + c.high] * r.weight * c.weight;
          }
          sum += parts[0] + parts[1] + parts[2] + parts[3];
          const float best = *std::max_element(parts, parts + 4);
          top = first ? best : std::max(top, best);
          first = false;
        }
      *to++ = mode == 0 ? sum / static_cast<float>(per_row * per_column) : top;
    }
}

/// One region of all channels of one image.
void align(StageRun& s, const Maps& m, int64_t item, const Box& box, int64_t bins_h, int64_t bins_w, int64_t ratio, int mode, int64_t channels, float* to) {
  const float w = std::max(box.x2 - box.x1, 1.0f), h = std::max(box.y2 - box.y1, 1.0f);
  const int64_t rows = ratio ? ratio : static_cast<int64_t>(std::ceil(tame(h) / static_cast<float>(bins_h))),
                columns = ratio ? ratio : static_cast<int64_t>(std::ceil(tame(w) / static_cast<float>(bins_w)));
  s.check(rows <= kMaxSamples && columns <= kMaxSamples, "a region of senseless size");
  const std::vector<Sample> ys = sample_axis(tame(box.y1), tame(h), bins_h, rows, m.height), xs = sample_axis(tame(box.x1), tame(w), bins_w, columns, m.width);
  for (int64_t c = 0; c < channels; ++c) align_region(m.plane(item, c), m.width, ys, xs, bins_h, bins_w, mode, to + c * bins_h * bins_w);
}

}  // namespace

// Step 0 only packs the maps for step 1, which reads the original here. Buffers: maps, regions, images of the regions, output.
void run_roi_align(StageRun& s) {
  const auto& p = s.params<vpu::RoiAlignParams>();
  if (p.step == 0) {
    s.machine().roi_align_source = s.in(0);
    return;
  }
  s.check(p.step != 1 || s.machine().roi_align_source.has_value(), "no maps were packed");
  const Maps m(planes(p.step == 1 ? *s.machine().roi_align_source : s.in(0)));
  const std::vector<float> rois = read_rois(s, 1, 4);
  const std::vector<int64_t> images = read_integers(memory_order(s.in(2)));
  const Grid out = planes(s.out(3));
  const int64_t bins_h = p.pooled_h, bins_w = p.pooled_w, each = out.dims[1] * bins_h * bins_w;
  s.check(bins_h >= 1 && bins_w >= 1 && out.dims[2] == bins_h && out.dims[3] == bins_w && out.dims[1] <= m.channels && m.height > 0 && m.width > 0, "an output of an unexpected shape");
  s.check(out.dims[0] <= static_cast<int64_t>(rois.size()) / 4 && out.dims[0] <= static_cast<int64_t>(images.size()), "fewer regions than outputs");
  std::vector<float> y(static_cast<size_t>(out.count()));
  for (int64_t n = 0; n < out.dims[0]; ++n) {
    const float *r = rois.data() + n * 4, k = p.spatial_scale;
    const int64_t item = map_index(static_cast<float>(images[static_cast<size_t>(n)]), m);
    align(s, m, item, {r[0] * k, r[1] * k, r[2] * k, r[3] * k}, bins_h, bins_w, p.sampling_ratio, p.mode, out.dims[1], y.data() + n * each);
  }
  write(out, y);
}

// Buffers: regions, levels, output, [regions again], temp. The level follows from the region's size.
void run_roi_feature_extractor(StageRun& s) {
  const auto& p = s.params<vpu::RoiFeatureExtractorParams>();
  const std::vector<float> rois = read_rois(s, 0, 4);
  s.check(p.levels_num >= 1 && p.levels_num <= p.pyramid_scales.size(), "no levels");
  const int levels = static_cast<int>(p.levels_num);
  std::vector<Maps> maps;
  for (int k = 0; k < levels; ++k) maps.emplace_back(planes(s.in(1 + k)));
  const Grid out = planes(s.out(1 + levels));
  const int64_t bins_h = p.pooled_h, bins_w = p.pooled_w, each = out.dims[1] * bins_h * bins_w;
  s.check(bins_h >= 1 && bins_w >= 1 && out.dims[2] == bins_h && out.dims[3] == bins_w, "an output of an unexpected shape");
  std::vector<float> y(static_cast<size_t>(out.count()));
  for (int64_t n = 0; n < std::min<int64_t>(out.dims[0], static_cast<int64_t>(rois.size()) / 4); ++n) {
    const float* r = rois.data() + n * 4;
    const float area = (r[2] - r[0]) * (r[3] - r[1]);
    if (!(area > 0)) continue;
    const auto level = static_cast<size_t>(std::clamp(static_cast<int>(std::floor(std::log2(std::sqrt(area) / 224 + 1e-6f) + 2)), 0, levels - 1));
    const Maps& m = maps[level];
    const auto scale = static_cast<float>(p.pyramid_scales[level]);
    s.check(scale != 0 && out.dims[1] <= m.channels && m.items > 0 && m.height > 0 && m.width > 0, "a level that does not fit");
    align(s, m, 0, {r[0] / scale, r[1] / scale, r[2] / scale, r[3] / scale}, bins_h, bins_w, p.sampling_ratio, 0, out.dims[1], y.data() + n * each);
  }
  write(out, y);
  if (p.use_output_rois) RawTensor(s.pool(), framework_order(s.in(0))).store(s.pool(), framework_order(s.out(2 + levels)));
}

}  // namespace blobsmith::emulator
