// Pooling over regions of interest (execution spec §9).
#include "vpu/format/roi.hpp"

#include "compute/regions.hpp"
#include "emulator/kernels/shared.hpp"

namespace blobsmith::emulator {
namespace {

using compute::Bins;

constexpr int64_t kMaxBins = 4096;

/// Feature maps as floats [N][C][H][W].
class Maps {
 public:
  explicit Maps(const Grid& g) : values_(read_floats(g)), shape_{nullptr, g.dims[0], g.dims[1], g.dims[2], g.dims[3]} {}
  compute::FeatureMaps get() const {
    return {values_.data(), shape_.items, shape_.channels, shape_.height, shape_.width};
  }

 private:
  std::vector<float> values_;
  compute::FeatureMaps shape_;
};

std::vector<float> read_rois(StageRun& s, int k, size_t numbers) {
  std::vector<float> v = read_floats(memory_order(s.in(k)));
  for (float& f : v) f = compute::tame(f);
  s.check(v.size() % numbers == 0, "regions of an unexpected size");
  return v;
}

Box scaled(const float* r, float by) { return {r[0] * by, r[1] * by, r[2] * by, r[3] * by}; }

/// The values of an input decide this, not the blob.
int64_t map_index(float v, const compute::FeatureMaps& maps) {
  if (!(v >= 0 && v < static_cast<float>(maps.items)))
    throw Error(ErrorCode::ShapeMismatch,
                "a region lies in image " + std::to_string(v) + " of " + std::to_string(maps.items))
        .hint("random numbers are not regions: give this input real ones");
  return static_cast<int64_t>(v);
}

/// Every bin of every channel of regions [image, x1, y1, x2, y2]: f(image, region, channel, row, column). A negative
/// image ends them, as Proposal leaves them.
template <class F>
void pool_regions(const compute::FeatureMaps& m, const std::vector<float>& rois, const Grid& out, F f) {
  std::vector<float> y(static_cast<size_t>(out.count()));
  const int64_t count = std::min<int64_t>(out.dims[0], static_cast<int64_t>(rois.size()) / 5);
  float* to = y.data();
  for (int64_t n = 0; n < count && rois[static_cast<size_t>(n * 5)] >= 0; ++n) {
    const float* roi = rois.data() + n * 5;
    const int64_t item = map_index(roi[0], m);
    for (int64_t c = 0; c < out.dims[1]; ++c)
      for (int64_t i = 0; i < out.dims[2]; ++i)
        for (int64_t j = 0; j < out.dims[3]; ++j) *to++ = f(item, roi + 1, c, i, j);
  }
  write(out, y);
}

/// One region of all channels of one image.
void align(StageRun& s, const compute::FeatureMaps& m, int64_t item, const Box& box, Bins bins, int64_t samples,
           bool mean, int64_t channels, float* to) {
  const compute::RegionSamples region(m, box, bins, samples);
  s.check(region.sensible(), "a region of senseless size");
  for (int64_t c = 0; c < channels; ++c) region.pool(m.plane(item, c), mean, to + c * bins.rows * bins.columns);
}

// Buffers: maps, output, regions.
void run_roi_pooling(StageRun& s) {
  const auto& p = s.params<vpu::RoiPoolingParams>();
  const Maps maps(planes(s.in(0)));
  const compute::FeatureMaps m = maps.get();
  const Grid out = planes(s.out(1));
  const Bins bins{p.pooled_h, p.pooled_w};
  const std::vector<float> rois = read_rois(s, 2, 5);
  s.check(bins.rows >= 1 && bins.columns >= 1 && out.dims[1] <= m.channels && out.dims[2] == bins.rows &&
              out.dims[3] == bins.columns && m.height > 0 && m.width > 0,
          "an output of an unexpected shape");
  pool_regions(m, rois, out, [&](int64_t item, const float* roi, int64_t c, int64_t i, int64_t j) {
    return p.method == 0 ? compute::largest_of_bin(m, m.plane(item, c), scaled(roi, p.spatial_scale), bins, i, j)
                         : compute::interpolated(m, m.plane(item, c), scaled(roi, 1), bins, i, j);
  });
}

// Every bin has channels of its own. Buffers: maps, output, regions.
void run_psroi_pooling(StageRun& s) {
  const auto& p = s.params<vpu::PsRoiPoolingParams>();
  const Maps maps(planes(s.in(0)));
  const compute::FeatureMaps m = maps.get();
  const Grid out = planes(s.out(1));
  const std::vector<float> rois = read_rois(s, 2, 5);
  const int64_t group = p.group_size;
  s.check(group >= 1 && group <= kMaxBins && out.dims[2] == group && out.dims[3] == group && out.dims[1] <= kMaxBins,
          "an output of an unexpected shape");
  const int64_t wanted = out.dims[1] * group * group;
  if (wanted > m.channels)
    s.cannot_run("it takes " + std::to_string(wanted) + " channels of " + std::to_string(m.channels) +
                 ", and what a device finds behind them is not known");
  pool_regions(m, rois, out, [&](int64_t item, const float* roi, int64_t c, int64_t i, int64_t j) {
    return compute::mean_of_bin(m, m.plane(item, (c * group + i) * group + j), scaled(roi, 1), p.spatial_scale,
                                {group, group}, i, j);
  });
}

// Step 0 only packs the maps for step 1, which reads the original here. Buffers: maps, regions, images of the regions,
// output.
void run_roi_align(StageRun& s) {
  const auto& p = s.params<vpu::RoiAlignParams>();
  if (p.step == 0) {
    s.machine().roi_align_source = s.in(0);
    return;
  }
  s.check(p.step != 1 || s.machine().roi_align_source.has_value(), "no maps were packed");
  const Maps maps(planes(p.step == 1 ? *s.machine().roi_align_source : s.in(0)));
  const compute::FeatureMaps m = maps.get();
  const std::vector<float> rois = read_rois(s, 1, 4);
  const std::vector<int64_t> images = read_integers(memory_order(s.in(2)));
  const Grid out = planes(s.out(3));
  const Bins bins{p.pooled_h, p.pooled_w};
  const int64_t each = out.dims[1] * bins.rows * bins.columns;
  s.check(bins.rows >= 1 && bins.columns >= 1 && out.dims[2] == bins.rows && out.dims[3] == bins.columns &&
              out.dims[1] <= m.channels && m.height > 0 && m.width > 0,
          "an output of an unexpected shape");
  s.check(out.dims[0] <= static_cast<int64_t>(rois.size()) / 4 && out.dims[0] <= static_cast<int64_t>(images.size()),
          "fewer regions than outputs");
  std::vector<float> y(static_cast<size_t>(out.count()));
  for (int64_t n = 0; n < out.dims[0]; ++n) {
    const int64_t item = map_index(static_cast<float>(images[static_cast<size_t>(n)]), m);
    align(s, m, item, scaled(rois.data() + n * 4, p.spatial_scale), bins, p.sampling_ratio, p.mode == 0, out.dims[1],
          y.data() + n * each);
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
  const Bins bins{p.pooled_h, p.pooled_w};
  const int64_t each = out.dims[1] * bins.rows * bins.columns;
  s.check(bins.rows >= 1 && bins.columns >= 1 && out.dims[2] == bins.rows && out.dims[3] == bins.columns,
          "an output of an unexpected shape");
  std::vector<float> y(static_cast<size_t>(out.count()));
  for (int64_t n = 0; n < std::min<int64_t>(out.dims[0], static_cast<int64_t>(rois.size()) / 4); ++n) {
    const float* r = rois.data() + n * 4;
    if (!((r[2] - r[0]) * (r[3] - r[1]) > 0)) continue;
    const auto level = static_cast<size_t>(compute::pyramid_level(scaled(r, 1), levels));
    const compute::FeatureMaps m = maps[level].get();
    s.check(p.pyramid_scales[level] != 0 && out.dims[1] <= m.channels && !m.empty(), "a level that does not fit");
    const auto scale = static_cast<float>(p.pyramid_scales[level]);
    align(s, m, 0, {r[0] / scale, r[1] / scale, r[2] / scale, r[3] / scale}, bins, p.sampling_ratio, true, out.dims[1],
          y.data() + n * each);
  }
  write(out, y);
  if (p.use_output_rois)
    RawTensor(s.pool(), framework_order(s.in(0))).store(s.pool(), framework_order(s.out(2 + levels)));
}

constexpr KernelRow kRows[] = {
    {StageType::ROIPooling, run_roi_pooling},
    {StageType::PSROIPooling, run_psroi_pooling},
    {StageType::ROIAlign, run_roi_align},
    {StageType::ROIFeatureExtractor, run_roi_feature_extractor},
};

}  // namespace

std::span<const KernelRow> roi_kernels() { return kRows; }

}  // namespace blobsmith::emulator
