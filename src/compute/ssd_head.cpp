#include "compute/ssd_head.hpp"

#include <algorithm>
#include <cmath>

namespace blobsmith::compute {

Numbers Numbers::of(std::span<const float> values) {
  return {static_cast<int64_t>(values.size()), [values](int64_t first, std::span<float> to) {
            std::ranges::copy(values.subspan(static_cast<size_t>(first), to.size()), to.begin());
          }};
}

bool SsdHead::fits() const {
  const auto holds = [&](const Numbers& numbers, int64_t each) { return numbers.count / each >= images * prior_count; };
  const int64_t row = normalized ? 4 : 5, table = prior_count * (row + (variances ? 4 : 0));
  if ((prior_tables != 1 && prior_tables < images) || (prior_tables > 1 && table_numbers < table) ||
      priors.count < (prior_tables - 1) * table_numbers + table)
    return false;
  const bool refined = holds(refined_scores, 2) && holds(refined_locations, 4);
  return holds(locations, share_location ? 4 : classes * 4) && holds(scores, classes) &&
         (refined || refined_scores.count == 0);
}

Box SsdHead::decode(const std::array<float, 4>& d, const Prior& prior) const {
  const auto& [x1, y1, x2, y2] = prior.box;
  const auto& v = prior.variance;
  const float w = x2 - x1, h = y2 - y1;
  Box b;
  if (code == BoxCode::Corner) {
    b = {x1 + v[0] * d[0], y1 + v[1] * d[1], x2 + v[2] * d[2], y2 + v[3] * d[3]};
  } else if (code == BoxCode::CornerSize) {
    b = {x1 + v[0] * d[0] * w, y1 + v[1] * d[1] * h, x2 + v[2] * d[2] * w, y2 + v[3] * d[3] * h};
  } else {
    const float cx = v[0] * d[0] * w + (x1 + x2) / 2, cy = v[1] * d[1] * h + (y1 + y2) / 2,
                bw = std::exp(v[2] * d[2]) * w, bh = std::exp(v[3] * d[3]) * h;
    b = {cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2};
  }
  return clip_before_suppression ? clipped(b, 1, 1) : b;
}

/// Moved by the refinement where there is one.
Prior SsdHead::prior_of(int64_t image, int64_t index) const {
  const int64_t table = prior_tables > 1 ? image * table_numbers : 0, row = normalized ? 4 : 5;
  const auto [x1, y1, x2, y2] = priors.at<4>(table + index * row + row - 4);
  const float w = normalized ? 1 : static_cast<float>(image_width),
              h = normalized ? 1 : static_cast<float>(image_height);
  Prior prior{{x1 / w, y1 / h, x2 / w, y2 / h}};
  if (variances) prior.variance = priors.at<4>(table + prior_count * row + index * 4);
  if (refined_scores.count > 0) prior.box = decode(refined_locations.at<4>((image * prior_count + index) * 4), prior);
  return prior;
}

int64_t SsdHead::best_class(std::span<const float> of_prior) const {
  int64_t best = -1;
  for (int64_t k = 0; k < classes; ++k)
    if (k != background && (best < 0 || of_prior[static_cast<size_t>(k)] > of_prior[static_cast<size_t>(best)]))
      best = k;
  return best;
}

/// Best score first, top_k at most.
void SsdHead::keep_best(Candidates& list) const {
  std::vector<float> values;
  for (const Candidate& c : list) values.push_back(c.score);
  Candidates sorted;
  for (int64_t k : by_falling_score(values)) {
    if (top_k >= 0 && static_cast<int64_t>(sorted.size()) >= top_k) break;
    sorted.push_back(list[static_cast<size_t>(k)]);
  }
  list = std::move(sorted);
}

/// The priors that may show each class. Those that the refinement takes for background show none.
std::vector<SsdHead::Candidates> SsdHead::candidates(int64_t image) const {
  std::vector<Candidates> by_class(static_cast<size_t>(classes));
  Candidates common;
  std::vector<int64_t> labels(best_class_only ? static_cast<size_t>(prior_count) : 0);
  std::vector<float> of_prior(static_cast<size_t>(classes));
  for (int64_t i = 0; i < prior_count; ++i) {
    scores.read((image * prior_count + i) * classes, of_prior);
    if (refined_scores.count > 0 && refined_scores.at<1>((image * prior_count + i) * 2 + 1)[0] < objectness_score)
      std::ranges::fill(of_prior, 0.0f);
    if (best_class_only) {
      const int64_t best = best_class(of_prior);
      labels[static_cast<size_t>(i)] = best;
      if (best >= 0 && of_prior[static_cast<size_t>(best)] >= confidence_threshold)
        common.push_back({i, of_prior[static_cast<size_t>(best)]});
      continue;
    }
    for (size_t label = 0; label < of_prior.size(); ++label)
      if (static_cast<int64_t>(label) != background && of_prior[label] > confidence_threshold)
        by_class[label].push_back({i, of_prior[label]});
  }
  for (Candidates& list : by_class) keep_best(list);
  keep_best(common);
  for (const Candidate& c : common) by_class[static_cast<size_t>(labels[static_cast<size_t>(c.prior)])].push_back(c);
  return by_class;
}

std::vector<SsdHead::Detection> SsdHead::detect(int64_t image) const {
  std::vector<Detection> found;
  int64_t label = 0;
  for (const Candidates& list : candidates(image)) {
    std::vector<Box> decoded;
    std::vector<float> values;
    for (const Candidate& c : list) {
      const int64_t place = image * prior_count + c.prior;
      decoded.push_back(
          decode(locations.at<4>((share_location ? place : place * classes + label) * 4), prior_of(image, c.prior)));
      values.push_back(c.score);
    }
    for (int64_t k : suppress(decoded, values, nms_threshold, -1))
      found.push_back({values[static_cast<size_t>(k)], label, decoded[static_cast<size_t>(k)]});
    ++label;
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
      const float row[kRow] = {static_cast<float>(image),
                               static_cast<float>(d.label - (best_class_only ? 1 : 0)),
                               d.score,
                               b.x1,
                               b.y1,
                               b.x2,
                               b.y2};
      std::copy_n(row, kRow, list.begin() + static_cast<ptrdiff_t>(used++ * kRow));
    }
  if (used < room) list[used * kRow] = -1;
  return list;
}

}  // namespace blobsmith::compute
