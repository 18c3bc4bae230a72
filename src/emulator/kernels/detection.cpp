// DetectionOutput (SSD) and StaticShapeNMS (execution spec §9).
#include "vpu/stages/detection.hpp"

#include <cmath>

#include "emulator/kernels/kernels.hpp"

namespace blobsmith::emulator {
namespace {

struct Prior {
  Box box;
  std::array<float, 4> variance{1, 1, 1, 1};
};

struct Detection {
  float score;
  int32_t label;
  Box box;
};

Box clip01(const Box& b) {
  const auto c = [](float v) { return std::clamp(v, 0.0f, 1.0f); };
  return {c(b.x1), c(b.y1), c(b.x2), c(b.y2)};
}

class DetectionHead {
 public:
  DetectionHead(StageRun& s, const vpu::DetectionOutputParams& p) : p_(p), priors_count_(p.num_priors), classes_(p.num_classes) {
    s.check(p.num_priors > 0 && p.num_classes > 0 && p.num > 0, "a detection of nothing");
    loc_ = read_floats(memory_order(s.in(0)));
    conf_ = read_floats(memory_order(s.in(1)));
    boxes_per_prior_ = p.share_location ? 1 : classes_;
    const std::vector<float> priors = read_floats(memory_order(s.in(2)));
    const auto all = static_cast<size_t>(p.num) * static_cast<size_t>(priors_count_);
    s.check(loc_.size() >= all * static_cast<size_t>(boxes_per_prior_) * 4 && conf_.size() >= all * static_cast<size_t>(classes_), "fewer boxes or scores than priors");
    if (p.has_arm_inputs) {
      arm_conf_ = read_floats(memory_order(s.in(3)));
      arm_loc_ = read_floats(memory_order(s.in(4)));
      s.check(arm_conf_.size() >= all * 2 && arm_loc_.size() >= all * 4, "fewer boxes or scores than priors");
    }
    read_priors(s, priors);
  }

  std::vector<Detection> detect(int64_t image) const {
    std::vector<Detection> found;
    const std::vector<Prior> priors = arm_priors(image);
    const std::vector<float> scores = scores_of(image);
    const std::vector<int64_t> common = p_.decrease_label_id ? best_class_candidates(scores) : std::vector<int64_t>{};
    for (int64_t label = 0; label < classes_; ++label)
      if (label != p_.background_label_id) add_class(found, image, label, priors, scores, common);
    keep_best(found);
    return found;
  }

 private:
  void read_priors(StageRun& s, const std::vector<float>& v) {
    const int64_t numbers = p_.normalized ? 4 : 5, row = priors_count_ * numbers;
    const bool variances = static_cast<int64_t>(v.size()) >= 2 * row && !p_.variance_encoded_in_target;
    s.check(static_cast<int64_t>(v.size()) >= row && p_.image_width != 0 && p_.image_height != 0, "fewer priors than announced");
    const float w = p_.normalized ? 1 : static_cast<float>(p_.image_width), h = p_.normalized ? 1 : static_cast<float>(p_.image_height);
    for (int64_t i = 0; i < priors_count_; ++i) {
      const float* at = v.data() + i * numbers + (numbers - 4);
      Prior prior{{at[0] / w, at[1] / h, at[2] / w, at[3] / h}};
      if (variances) std::copy_n(v.data() + row + i * 4, 4, prior.variance.begin());
      priors_.push_back(prior);
    }
  }

  Box decode(const float* d, const Prior& prior) const {
    const auto& [x1, y1, x2, y2] = prior.box;
    const auto& v = prior.variance;
    const float w = x2 - x1, h = y2 - y1;
    Box b;
    constexpr int kCorner = 1, kCornerSize = 3;
    if (p_.code_type == kCorner) {
      b = {x1 + v[0] * d[0], y1 + v[1] * d[1], x2 + v[2] * d[2], y2 + v[3] * d[3]};
    } else if (p_.code_type == kCornerSize) {
      b = {x1 + v[0] * d[0] * w, y1 + v[1] * d[1] * h, x2 + v[2] * d[2] * w, y2 + v[3] * d[3] * h};
    } else {
      const float cx = v[0] * d[0] * w + (x1 + x2) / 2, cy = v[1] * d[1] * h + (y1 + y2) / 2, bw = std::exp(v[2] * d[2]) * w, bh = std::exp(v[3] * d[3]) * h;
      b = {cx - bw / 2, cy - bh / 2, cx + bw / 2, cy + bh / 2};
    }
    return p_.clip_before_nms ? clip01(b) : b;
  }

  /// The priors, moved by the anchor refinement where there is one.
  std::vector<Prior> arm_priors(int64_t image) const {
    std::vector<Prior> priors = priors_;
    if (!p_.has_arm_inputs) return priors;
    for (int64_t i = 0; i < priors_count_; ++i) priors[static_cast<size_t>(i)].box = decode(arm_loc_.data() + (image * priors_count_ + i) * 4, priors_[static_cast<size_t>(i)]);
    return priors;
  }

  std::vector<float> scores_of(int64_t image) const {
    const int64_t count = priors_count_ * classes_;
    std::vector<float> scores(conf_.begin() + image * count, conf_.begin() + (image + 1) * count);
    if (!p_.has_arm_inputs) return scores;
    for (int64_t i = 0; i < priors_count_; ++i)
      if (arm_conf_[static_cast<size_t>((image * priors_count_ + i) * 2 + 1)] < p_.objectness_score) std::fill_n(scores.begin() + i * classes_, classes_, 0.0f);
    return scores;
  }

  int64_t best_class(const float* scores) const {
    int64_t best = -1;
    for (int64_t c = 0; c < classes_; ++c)
      if (c != p_.background_label_id && (best < 0 || scores[c] > scores[best])) best = c;
    return best;
  }

  void sort_and_cut(std::vector<int64_t>& priors, const std::vector<float>& scores) const {
    const std::vector<int64_t> order = by_falling_score(scores);
    std::vector<int64_t> sorted;
    for (int64_t i : order) sorted.push_back(priors[static_cast<size_t>(i)]);
    if (p_.top_k >= 0 && sorted.size() > static_cast<size_t>(p_.top_k)) sorted.resize(static_cast<size_t>(p_.top_k));
    priors = std::move(sorted);
  }

  /// MXNet's way: every prior stands for its best class only, and there is one top_k for all classes.
  std::vector<int64_t> best_class_candidates(const std::vector<float>& scores) const {
    std::vector<int64_t> priors;
    std::vector<float> values;
    for (int64_t i = 0; i < priors_count_; ++i) {
      const int64_t best = best_class(scores.data() + i * classes_);
      if (best < 0) continue;
      const float v = scores[static_cast<size_t>(i * classes_ + best)];
      if (v < p_.confidence_threshold) continue;
      priors.push_back(i);
      values.push_back(v);
    }
    sort_and_cut(priors, values);
    return priors;
  }

  std::vector<int64_t> candidates(int64_t label, const std::vector<float>& scores, const std::vector<int64_t>& common) const {
    std::vector<int64_t> priors;
    if (p_.decrease_label_id) {
      for (int64_t i : common)
        if (best_class(scores.data() + i * classes_) == label) priors.push_back(i);
      return priors;
    }
    std::vector<float> values;
    for (int64_t i = 0; i < priors_count_; ++i) {
      const float v = scores[static_cast<size_t>(i * classes_ + label)];
      if (!(v > p_.confidence_threshold)) continue;
      priors.push_back(i);
      values.push_back(v);
    }
    sort_and_cut(priors, values);
    return priors;
  }

  void add_class(std::vector<Detection>& found, int64_t image, int64_t label, const std::vector<Prior>& priors, const std::vector<float>& scores, const std::vector<int64_t>& common) const {
    std::vector<Box> boxes;
    std::vector<float> values;
    for (int64_t i : candidates(label, scores, common)) {
      const int64_t place = (image * priors_count_ + i) * boxes_per_prior_ + (p_.share_location ? 0 : label);
      boxes.push_back(decode(loc_.data() + place * 4, priors[static_cast<size_t>(i)]));
      values.push_back(scores[static_cast<size_t>(i * classes_ + label)]);
    }
    for (int64_t k : suppress(boxes, values, p_.nms_threshold, -1)) found.push_back({values[static_cast<size_t>(k)], static_cast<int32_t>(label), boxes[static_cast<size_t>(k)]});
  }

  /// The best of all classes, grouped by class again.
  void keep_best(std::vector<Detection>& found) const {
    if (p_.keep_top_k < 0 || found.size() <= static_cast<size_t>(p_.keep_top_k)) return;
    std::vector<float> scores;
    for (const Detection& d : found) scores.push_back(d.score);
    std::vector<Detection> best;
    const std::vector<int64_t> order = by_falling_score(scores);
    for (size_t k = 0; k < static_cast<size_t>(p_.keep_top_k); ++k) best.push_back(found[static_cast<size_t>(order[k])]);
    std::stable_sort(best.begin(), best.end(), [](const Detection& a, const Detection& b) { return a.label < b.label; });
    found = std::move(best);
  }

  const vpu::DetectionOutputParams& p_;
  int64_t priors_count_, classes_, boxes_per_prior_ = 1;
  std::vector<float> loc_, conf_, arm_conf_, arm_loc_;
  std::vector<Prior> priors_;
};

}  // namespace

// Buffers: locations, scores, priors, [arm scores, arm locations], output, temp. Rows [image, class, score, box]; image -1 ends the list.
void run_detection_output(StageRun& s) {
  const auto& p = s.params<vpu::DetectionOutputParams>();
  const DetectionHead head(s, p);
  const Grid out = framework_order(s.out(p.has_arm_inputs ? 5 : 3));
  constexpr size_t kRow = 7;
  std::vector<float> rows(static_cast<size_t>(out.count()));
  const size_t room = rows.size() / kRow;
  size_t used = 0;
  for (int64_t image = 0; image < p.num; ++image)
    for (const Detection& d : head.detect(image)) {
      if (used >= room) break;
      const Box b = p.clip_after_nms ? clip01(d.box) : d.box;
      const float row[kRow] = {static_cast<float>(image), static_cast<float>(d.label - (p.decrease_label_id ? 1 : 0)), d.score, b.x1, b.y1, b.x2, b.y2};
      std::copy_n(row, kRow, rows.begin() + static_cast<ptrdiff_t>(used++ * kRow));
    }
  if (used < room) rows[used * kRow] = -1;
  write(out, rows);
}

// Buffers: boxes, scores, most per class, IoU threshold, score threshold, indices, their shape.
void run_static_shape_nms(StageRun& s) {
  const auto& p = s.params<vpu::StaticShapeNmsParams>();
  const Grid box_grid = framework_order(s.in(0)), score_grid = framework_order(s.in(1));
  s.check(score_grid.rank == 3 && box_grid.rank == 3 && box_grid.dims[2] == 4 && box_grid.dims[1] == score_grid.dims[2] && box_grid.dims[0] == score_grid.dims[0], "boxes and scores that don't fit");
  const std::vector<float> boxes = read_floats(box_grid), scores = read_floats(score_grid);
  const auto first = [&](int k) {
    const std::vector<float> v = read_floats(memory_order(s.in(k)));
    s.check(!v.empty(), "an empty parameter");
    return v[0];
  };
  const auto limit = static_cast<int64_t>(std::clamp(first(2), 0.0f, 1e9f));
  const float overlap = first(3), least = first(4);
  const Grid indices = memory_order(s.out_at_capacity(5));
  s.check(indices.rank == 2 && indices.dims[1] == 3, "an output of an unexpected shape");
  const int64_t count = box_grid.dims[1];
  std::vector<int64_t> rows;
  for (int64_t image = 0; image < score_grid.dims[0]; ++image)
    for (int64_t label = 0; label < score_grid.dims[1]; ++label) {
      std::vector<Box> candidates;
      std::vector<float> values;
      std::vector<int64_t> place;
      for (int64_t i = 0; i < count; ++i) {
        const float v = scores[static_cast<size_t>((image * score_grid.dims[1] + label) * count + i)];
        if (!(v > least)) continue;
        const float* b = boxes.data() + (image * count + i) * 4;
        if (p.center_point_box) candidates.push_back({b[0] - b[2] / 2, b[1] - b[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2});
        else candidates.push_back({std::min(b[0], b[2]), std::min(b[1], b[3]), std::max(b[0], b[2]), std::max(b[1], b[3])});
        values.push_back(v);
        place.push_back(i);
      }
      for (int64_t k : suppress(candidates, values, overlap, limit)) rows.insert(rows.end(), {image, label, place[static_cast<size_t>(k)]});
    }
  // The room of a dynamic output ends with its memory; the tensor ends where no more boxes can come.
  const bool dynamic = s.stage().buffers[5].desc.is_dynamic();
  const int64_t most = dynamic ? std::min(indices.dims[0], score_grid.dims[0] * score_grid.dims[1] * std::min(count, limit)) : indices.dims[0];
  const auto found = std::min<int64_t>(static_cast<int64_t>(rows.size()) / 3, most);
  rows.resize(static_cast<size_t>(found * 3));
  rows.resize(static_cast<size_t>(most * 3), -1);
  const Grid filled = slice(indices, 0, 0, most);
  s.touch({5, true, false, filled});
  write(filled, rows);
  write(memory_order(s.out(6)), std::vector<int64_t>{found, 3});
}

}  // namespace blobsmith::emulator
