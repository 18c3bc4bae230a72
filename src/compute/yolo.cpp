#include "compute/yolo.hpp"

#include <algorithm>

#include "compute/activation.hpp"

namespace blobsmith::compute {
namespace {

void softmax_over_planes(float* first, int64_t count, int64_t plane) {
  for (int64_t i = 0; i < plane; ++i) {
    float* at = first + i;
    float top = at[0], sum = 0;
    for (int64_t k = 1; k < count; ++k) top = std::max(top, at[k * plane]);
    for (int64_t k = 0; k < count; ++k) sum += at[k * plane] = std::exp(at[k * plane] - top);
    for (int64_t k = 0; k < count; ++k) at[k * plane] /= sum;
  }
}

}  // namespace

void YoloRegions::activate(std::vector<float>& values, int64_t items, int64_t channels, int64_t plane) const {
  const auto activate_planes = [&](float* from, int64_t planes) {
    std::transform(from, from + planes * plane, from, sigmoid);
  };
  for (int64_t n = 0; n < items; ++n)
    for (int64_t r = 0; r < count; ++r) {
      float* region = values.data() + (n * channels + r * (coords + 1 + classes)) * plane;
      activate_planes(region, 2);
      activate_planes(region + coords * plane, 1);
      float* scores = region + (coords + 1) * plane;
      if (!softmax)
        activate_planes(scores, classes);
      else if (classes > 0)
        softmax_over_planes(scores, classes, plane);
    }
}

bool can_be_reorganised(int64_t channels, int64_t height, int64_t width, int64_t s) {
  constexpr int64_t kMost = 65536;
  if (s < 1 || s >= kMost || channels < s * s || height < 1 || width < 1) return false;
  if (channels % (s * s) == 0) return true;
  const int64_t inner = channels / (s * s), last_row = (height - 1) * s + (channels - 1) / inner / s;
  return width * s * (last_row + height * s * (inner - 1)) + width * s <= channels * height * width;
}

int64_t reorganised_row(int64_t channels, int64_t height, int64_t width, int64_t s, int64_t channel, int64_t row) {
  const int64_t inner = channels / (s * s), part = channel / inner;
  return part % s + width * s * (row * s + part / s + height * s * (channel % inner));
}

}  // namespace blobsmith::compute
