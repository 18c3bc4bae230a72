#include "compute/ssd_head.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace blobsmith::compute {

std::vector<Prior> read_priors(const float* boxes, const float* variances, int64_t count, bool normalized, int64_t width, int64_t height) {
  const int64_t numbers = normalized ? 4 : 5;
  const float w = normalized ? 1 : static_cast<float>(width), h = normalized ? 1 : static_cast<float>(height);
  std::vector<Prior> list;
  for (int64_t i = 0; i < count; ++i) {
    const float* at = boxes + i * numbers + (numbers - 4);
    Prior prior{{at[0] / w, at[1] / h, at[2] / w, at[3] / h}};
    if (variances) std::copy_n(variances + i * 4, 4, prior.variance.begin());
    list.push_back(prior);
  }
  return list;
}

bool SsdHead::fits() const {
  const auto holds = [&](size_t size, int64_t each) { return static_cast<int64_t>(size) / each >= images * prior_count; };
  const bool refined = holds(refined_scores.size(), 2) && holds(refined_locations.size(), 4);
  return (priors.size() == static_cast<size_t>(prior_count) || holds(priors.size(), 1)) && holds(locations.size(), share_location ? 4 : classes * 4) && holds(scores.size(), classes) &&
         (refined || refined_scores.empty());
}

Box SsdHead::decode(const float* d, const Prior& prior) const {
  const auto& [x1, y1, x2, y2] = prior.box;
  const auto& v = prior.variance;
  const float w = x2 - x1, h = y2 - y1;
  Box b;
  if (code == BoxCode::Corner) {
    b = {x1 + v[0] * d[0], y1 + v[1] * d[1], x2 + v[2] * d[2], y2 + v[3] * d[3]};
  } else if (code == BoxCode::CornerSize) {
    b = {x1 + v[0] * d[0] * w, y1 + v[1] * d[1] * h, x2 + v[2] * d[2] * w, y2 + v[3] * d[3] * h};
  } else {
    const float cx = v[0] * d[0] * w + (x1 + x2) / 2, cy = v[1] * d[1] * h + (y1 + y2) / 2, bw = std::exp(v[2] * d[2]) * w, bh = std::exp(v[3] * d[3]) * h;
    b = {cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2};
  }
  return clip_before_suppression ? clipped(b, 1, 1) : b;
}

/// Moved by the refinement where there is one.
std::vector<Prior> SsdHead::priors_of(int64_t image) const {
  const auto from = priors.begin() + (priors.size() > static_cast<size_t>(prior_count) ? image * prior_count : 0);
  std::vector<Prior> list(from, from + prior_count);
  if (refined_scores.empty()) return list;
  for (int64_t i = 0; i < prior_count; ++i) {
    Prior& prior = list[static_cast<size_t>(i)];
    prior.box = decode(refined_locations.data() + (image * prior_count + i) * 4, prior);
  }
  return list;
}

/// Those of priors that the refinement takes for background are 0.
std::vector<float> SsdHead::scores_of(int64_t image) const {
  const auto from = scores.begin() + image * prior_count * classes;
  std::vector<float> list(from, from + prior_count * classes);
  if (refined_scores.empty()) return list;
  for (int64_t i = 0; i < prior_count; ++i)
    if (refined_scores[static_cast<size_t>((image * prior_count + i) * 2 + 1)] < objectness_score) std::fill_n(list.begin() + i * classes, classes, 0.0f);
  return list;
}

int64_t SsdHead::best_class(const float* of_prior) const {
  int64_t best = -1;
  for (int64_t k = 0; k < classes; ++k)
    if (k != background && (best < 0 || of_prior[k] > of_prior[best])) best = k;
  return best;
}

/// The priors for which `label_of` names a class (not -1), best score first, top_k at most.
template <class Label>
std::vector<int64_t> SsdHead::candidates(const std::vector<float>& of_image, Label label_of) const {
  std::vector<int64_t> list, sorted;
  std::vector<float> values;
  for (int64_t i = 0; i < prior_count; ++i) {
    const float* of_prior = of_image.data() + i * classes;
    const int64_t label = label_of(of_prior);
    if (label < 0) continue;
    list.push_back(i);
    values.push_back(of_prior[label]);
  }
  for (int64_t k : by_falling_score(values)) sorted.push_back(list[static_cast<size_t>(k)]);
  if (top_k >= 0 && sorted.size() > static_cast<size_t>(top_k)) sorted.resize(static_cast<size_t>(top_k));
  return sorted;
}

std::vector<SsdHead::Detection> SsdHead::detect(int64_t image) const {
  const std::vector<Prior> boxes = priors_of(image);
  const std::vector<float> of_image = scores_of(image);
  std::vector<int64_t> common;
  if (best_class_only)
    common = candidates(of_image, [&](const float* of_prior) {
      const int64_t best = best_class(of_prior);
      return best >= 0 && of_prior[best] >= confidence_threshold ? best : -1;
    });
  std::vector<Detection> found;
  for (int64_t label = 0; label < classes; ++label) {
    if (label == background) continue;
    std::vector<int64_t> list;
    if (best_class_only) std::ranges::copy_if(common, std::back_inserter(list), [&](int64_t i) { return best_class(of_image.data() + i * classes) == label; });
    else list = candidates(of_image, [&](const float* of_prior) { return of_prior[label] > confidence_threshold ? label : -1; });
    std::vector<Box> decoded;
    std::vector<float> values;
    for (int64_t i : list) {
      const int64_t prior = image * prior_count + i;
      decoded.push_back(decode(locations.data() + (share_location ? prior : prior * classes + label) * 4, boxes[static_cast<size_t>(i)]));
      values.push_back(of_image[static_cast<size_t>(i * classes + label)]);
    }
    for (int64_t k : suppress(decoded, values, nms_threshold, -1)) found.push_back({values[static_cast<size_t>(k)], label, decoded[static_cast<size_t>(k)]});
  }
  return best_of(found);
}

/// The best of all classes, grouped by class again.
std::vector<SsdHead::Detection> SsdHead::best_of(const std::vector<Detection>& found) const {
  if (keep_top_k < 0 || found.size() <= static_cast<size_t>(keep_top_k)) return found;
  std::vector<float> values;
  for (const Detection& d : found) values.push_back(d.score);
  const std::vector<int64_t> order = by_falling_score(values);
  std::vector<Detection> best;
  for (size_t k = 0; k < static_cast<size_t>(keep_top_k); ++k) best.push_back(found[static_cast<size_t>(order[k])]);
  std::ranges::stable_sort(best, {}, &Detection::label);
  return best;
}

std::vector<float> SsdHead::rows(int64_t count) const {
  constexpr size_t kRow = 7;
  std::vector<float> list(static_cast<size_t>(count));
  const size_t room = list.size() / kRow;
  size_t used = 0;
  for (int64_t image = 0; image < images; ++image)
    for (const Detection& d : detect(image)) {
      if (used >= room) break;
      const Box b = clip_after ? clipped(d.box, 1, 1) : d.box;
      const float row[kRow] = {static_cast<float>(image), static_cast<float>(d.label - (best_class_only ? 1 : 0)), d.score, b.x1, b.y1, b.x2, b.y2};
      std::copy_n(row, kRow, list.begin() + static_cast<ptrdiff_t>(used++ * kRow));
    }
  if (used < room) list[used * kRow] = -1;
  return list;
}

}  // namespace blobsmith::compute
