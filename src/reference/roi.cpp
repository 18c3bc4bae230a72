// Pooling over regions of interest (opset 1, 3).
#include <algorithm>
#include <cmath>

#include "compute/regions.hpp"
#include "reference/operation.hpp"

namespace blobsmith::reference {
namespace {

using compute::Bins;
using compute::Box;
using compute::FeatureMaps;

int64_t image_of(const Call& c, const FeatureMaps& m, float index) {
  c.require(index >= 0 && index < static_cast<float>(m.items), "a region of an image that does not exist");
  return static_cast<int64_t>(index);
}

/// Every bin of every channel of regions [image, x1, y1, x2, y2]: f(region's number, image, region, channel, row,
/// column). A negative image ends them.
template <class F>
Outputs pool_regions(const Call& c, const FeatureMaps& m, F f) {
  const Shape& out = c.out_shape();
  std::vector<float> y(static_cast<size_t>(c.out_count()));
  float* to = y.data();
  for (int64_t n = 0; n < out[0]; ++n) {
    const float* r = c.floats(1).data() + n * 5;
    if (r[0] < 0) break;
    const int64_t item = image_of(c, m, r[0]);
    const Box box{compute::tame(r[1]), compute::tame(r[2]), compute::tame(r[3]), compute::tame(r[4])};
    for (int64_t k = 0; k < out[1]; ++k)
      for (int64_t i = 0; i < out[2]; ++i)
        for (int64_t j = 0; j < out[3]; ++j) *to++ = f(n, item, box, k, i, j);
  }
  return {float_tensor(out, std::move(y))};
}

Box scaled(const Box& b, float by) { return {b.x1 * by, b.y1 * by, b.x2 * by, b.y2 * by}; }

Outputs run_roi_pooling(const Call& c) {
  const FeatureMaps m = feature_maps(c, 0);
  const Bins bins{c.out_shape()[2], c.out_shape()[3]};
  const auto scale = static_cast<float>(c.attrs().real("spatial_scale"));
  const bool bilinear = c.attrs().text("method") == "bilinear";
  return pool_regions(c, m, [&](int64_t, int64_t item, const Box& box, int64_t k, int64_t i, int64_t j) {
    return bilinear ? compute::interpolated(m, m.plane(item, k), box, bins, i, j)
                    : compute::largest_of_bin(m, m.plane(item, k), scaled(box, scale), bins, i, j);
  });
}

/// Every part of a region, which is in parts of the image here, has channels of its own; a bin is the mean of what all
/// parts have at its place.
Outputs run_ps_roi_pooling_bilinear(const Call& c) {
  const FeatureMaps m = feature_maps(c, 0);
  const Bins bins{c.out_shape()[2], c.out_shape()[3]};
  const int64_t rows = c.attrs().integer("spatial_bins_y"), columns = c.attrs().integer("spatial_bins_x"),
                outputs = c.out_shape()[1];
  const auto scale = static_cast<float>(c.attrs().real("spatial_scale"));
  c.require(rows > 0 && columns > 0 && outputs * rows * columns <= m.channels, "fewer channels than parts");
  return pool_regions(c, m, [&](int64_t, int64_t item, const Box& region, int64_t k, int64_t i, int64_t j) {
    const Box box = scaled(region, scale);
    const float w = (box.x2 - box.x1) / static_cast<float>(columns), h = (box.y2 - box.y1) / static_cast<float>(rows);
    float sum = 0;
    for (int64_t part = 0; part < rows * columns; ++part) {
      const int64_t row = part / columns;
      const float x = box.x1 + static_cast<float>(part % columns) * w, y = box.y1 + static_cast<float>(row) * h;
      sum += compute::interpolated(m, m.plane(item, part * outputs + k), {x, y, x + w, y + h}, bins, i, j);
    }
    return sum / static_cast<float>(rows * columns);
  });
}

/// Every bin has channels of its own.
Outputs run_ps_roi_pooling(const Call& c) {
  if (c.attrs().text("mode") == "bilinear") return run_ps_roi_pooling_bilinear(c);
  const FeatureMaps m = feature_maps(c, 0);
  const Bins bins{c.out_shape()[2], c.out_shape()[3]};
  const auto scale = static_cast<float>(c.attrs().real("spatial_scale"));
  c.require(c.out_shape()[1] * bins.rows * bins.columns <= m.channels, "fewer channels than bins");
  return pool_regions(c, m, [&](int64_t, int64_t item, const Box& box, int64_t k, int64_t i, int64_t j) {
    return compute::mean_of_bin(m, m.plane(item, (k * bins.rows + i) * bins.columns + j), box, scale, bins, i, j);
  });
}

/// PSROIPooling of regions whose bins are moved, each by a learnt part of the region's size (input 2: [region][class *
/// (x, y)][parts][parts]).
class DeformableBins {
 public:
  explicit DeformableBins(const Call& c)
      : c_(c),
        m_(feature_maps(c, 0)),
        bins_(c.attrs().integer("group_size")),
        rows_(c.attrs().integer("spatial_bins_y")),
        columns_(c.attrs().integer("spatial_bins_x")),
        parts_(c.attrs().integer("part_size")),
        classes_(c.input_count() > 2 ? c.dim(2, 1) / 2 : 1),
        scale_(static_cast<float>(c.attrs().real("spatial_scale"))),
        reach_(static_cast<float>(c.attrs().real("trans_std"))) {
    const int64_t outputs = c.out_shape()[1];
    c.require(outputs * bins_ * bins_ <= m_.channels, "fewer channels than bins");
    constexpr int64_t kMost = 4096;
    c.require(rows_ > 0 && columns_ > 0 && rows_ <= kMost && columns_ <= kMost && parts_ > 0 && classes_ > 0 &&
                  outputs >= classes_,
              "counts that make no sense");
    c.require(c.input_count() < 3 || (c.shape(2).size() == 4 && c.dim(2, 0) >= c.out_shape()[0] &&
                                      c.dim(2, 2) == parts_ && c.dim(2, 3) == parts_),
              "offsets that don't fit");
  }

  float pool(int64_t n, int64_t item, const Box& box, int64_t k, int64_t i, int64_t j) const {
    const auto edge = [&](float v) { return std::round(v) * scale_ - 0.5F; };
    const float x1 = edge(box.x1), y1 = edge(box.y1), w = std::max(edge(box.x2 + 1) - x1, 0.1F),
                h = std::max(edge(box.y2 + 1) - y1, 0.1F);
    const float each_w = w / static_cast<float>(bins_), each_h = h / static_cast<float>(bins_);
    const float left = static_cast<float>(j) * each_w + x1 + offset(n, k, 0, i, j) * w,
                top = static_cast<float>(i) * each_h + y1 + offset(n, k, 1, i, j) * h;
    const float* plane = m_.plane(item, (k * bins_ + i) * bins_ + j);
    float sum = 0;
    int64_t count = 0;
    for (int64_t a = 0; a < rows_; ++a)
      for (int64_t b = 0; b < columns_; ++b) {
        const float x = left + static_cast<float>(b) * each_w / static_cast<float>(columns_),
                    y = top + static_cast<float>(a) * each_h / static_cast<float>(rows_);
        if (!(x >= -0.5F && x <= static_cast<float>(m_.width) - 0.5F && y >= -0.5F &&
              y <= static_cast<float>(m_.height) - 0.5F))
          continue;
        sum += compute::between_pixels(m_, plane, std::clamp(y, 0.0F, static_cast<float>(m_.height - 1)),
                                       std::clamp(x, 0.0F, static_cast<float>(m_.width - 1)));
        ++count;
      }
    return count ? sum / static_cast<float>(count) : 0;
  }

  const FeatureMaps& maps() const { return m_; }

 private:
  /// How far a bin is moved along an axis, in parts of the region.
  float offset(int64_t n, int64_t output, int64_t axis, int64_t i, int64_t j) const {
    if (c_.input_count() < 3) return 0;
    const int64_t channel = std::min(output / (c_.out_shape()[1] / classes_), classes_ - 1) * 2 + axis;
    return c_.floats(2)[static_cast<size_t>(((n * c_.dim(2, 1) + channel) * parts_ + i * parts_ / bins_) * parts_ +
                                            j * parts_ / bins_)] *
           reach_;
  }

  const Call& c_;
  FeatureMaps m_;
  int64_t bins_, rows_, columns_, parts_, classes_;
  float scale_, reach_;
};

Outputs run_deformable_ps_roi_pooling(const Call& c) {
  const DeformableBins bins(c);
  return pool_regions(c, bins.maps(), [&](int64_t n, int64_t item, const Box& box, int64_t k, int64_t i, int64_t j) {
    return bins.pool(n, item, box, k, i, j);
  });
}

Outputs run_roi_align(const Call& c) {
  const FeatureMaps m = feature_maps(c, 0);
  const Shape& out = c.out_shape();
  const auto scale = static_cast<float>(c.attrs().real("spatial_scale"));
  const bool mean = c.attrs().text("mode") == "avg";
  const std::vector<int64_t> images = c.integers(2);
  std::vector<float> y(static_cast<size_t>(c.out_count()));
  for (int64_t n = 0; n < out[0]; ++n) {
    const float* r = c.floats(1).data() + n * 4;
    const int64_t item = image_of(c, m, static_cast<float>(images.at(static_cast<size_t>(n))));
    const compute::RegionSamples samples(m, scaled({r[0], r[1], r[2], r[3]}, scale), {out[2], out[3]},
                                         c.attrs().integer("sampling_ratio"));
    c.require(samples.sensible(), "a region of senseless size");
    for (int64_t k = 0; k < out[1]; ++k)
      samples.pool(m.plane(item, k), mean, y.data() + (n * out[1] + k) * out[2] * out[3]);
  }
  return {float_tensor(out, std::move(y))};
}

constexpr OperationRow kOperations[] = {
    {"ROIPooling", kAnyVersion, run_roi_pooling},
    {"PSROIPooling", kAnyVersion, run_ps_roi_pooling},
    {"DeformablePSROIPooling", kAnyVersion, run_deformable_ps_roi_pooling},
    {"ROIAlign", kAnyVersion, run_roi_align},
};

}  // namespace

FeatureMaps feature_maps(const Call& c, int input) {
  c.require(c.shape(input).size() == 4, "feature maps of another rank than 4");
  const FeatureMaps m{c.floats(input).data(), c.dim(input, 0), c.dim(input, 1), c.dim(input, 2), c.dim(input, 3)};
  c.require(!m.empty(), "empty feature maps");
  return m;
}

std::span<const OperationRow> roi_operations() { return kOperations; }

}  // namespace blobsmith::reference
