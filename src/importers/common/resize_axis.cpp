#include "importers/common/resize_axis.hpp"

#include <algorithm>
#include <cmath>

namespace blobsmith::importers {

double ResizeAxis::source(double i) const {
  if (coordinates == "half_pixel") return (i + 0.5) / scale - 0.5;
  if (coordinates == "half_pixel_symmetric") return in / 2 * (1 - out / (scale * in)) + (i + 0.5) / scale - 0.5;
  if (coordinates == "pytorch_half_pixel") return out > 1 ? (i + 0.5) / scale - 0.5 : 0;
  if (coordinates == "asymmetric") return i / scale;
  if (coordinates == "tf_crop_and_resize")
    return out > 1 ? from * (in - 1) + i * (to - from) * (in - 1) / (out - 1) : 0.5 * (from + to) * (in - 1);
  const double width = scale * in;  // align_corners
  return width == 1 ? 0 : i * (in - 1) / (width - 1);
}

int64_t ResizeAxis::nearest(double x) const {
  double r = std::floor(x);
  if (rounding == "round_prefer_floor") r = std::ceil(x - 0.5);
  if (rounding == "round_prefer_ceil") r = std::floor(x + 0.5);
  if (rounding == "ceil") r = std::ceil(x);
  return static_cast<int64_t>(std::clamp(r, 0.0, in - 1));
}

double ResizeAxis::weight(double distance) const {
  const double t = std::fabs(distance * (antialias ? std::min(scale, 1.0) : 1.0));
  if (mode != "cubic") return std::max(0.0, 1 - t);
  if (t <= 1) return ((cube + 2) * t - (cube + 3)) * t * t + 1;
  return t < 2 ? ((cube * t - 5 * cube) * t + 8 * cube) * t - 4 * cube : 0;
}

double ResizeAxis::reach() const { return (mode == "cubic" ? 2 : 1) / (antialias ? std::min(scale, 1.0) : 1.0); }

std::vector<float> ResizeAxis::weights() const {
  const auto inputs = static_cast<int64_t>(in), outputs = static_cast<int64_t>(out);
  std::vector<float> m(static_cast<size_t>(inputs * outputs), 0.0f);
  for (int64_t o = 0; o < outputs; ++o) {
    const double x = source(static_cast<double>(o));
    if (is_outside(x)) continue;
    const auto first = static_cast<int64_t>(std::floor(x - reach())),
               last = static_cast<int64_t>(std::ceil(x + reach()));
    double sum = 0;
    for (int64_t i = first; i <= last; ++i)
      if (!exclude_outside || (i >= 0 && i < inputs)) sum += weight(x - static_cast<double>(i));
    if (sum == 0) continue;
    for (int64_t i = first; i <= last; ++i) {
      if (exclude_outside && (i < 0 || i >= inputs)) continue;
      const auto at = static_cast<size_t>(std::clamp<int64_t>(i, 0, inputs - 1) * outputs + o);
      m[at] += static_cast<float>(weight(x - static_cast<double>(i)) / sum);
    }
  }
  return m;
}

}  // namespace blobsmith::importers
